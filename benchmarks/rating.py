"""How many usages a second are rated, with their steps, on one core; `python -m benchmarks.rating`.

The ceiling is the least that any implementation must do for the amount alone: walk the tiers with bare
`Decimal` operators (28 digits, nothing checked), multiply, add. Both run in turns in the same process
over the same usages, spread over the tiers; the median of the rounds is reported.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any

from tallystick.pricing import Price, Tier, rate

PRICE = Price.from_parameters(
    "api_calls",
    "graduated",
    "USD",
    {
        "tiers": [
            {"up_to": "10000", "unit_price": "0"},
            {"up_to": "100000", "unit_price": "0.001"},
            {"unit_price": "0.0008"},
        ]
    },
)
PER_ROUND = 50_000
ROUNDS = 9


def rate_all(usages: list[Decimal]) -> list[Decimal]:
    """The amounts, from charges with all their steps."""
    return [rate(PRICE, usage).amount for usage in usages]


def multiply_and_add_all(usages: list[Decimal]) -> list[Decimal]:
    """The same amounts without steps, checks or exactness beyond 28 digits."""
    return [_multiply_and_add(PRICE.tiers, usage) for usage in usages]


def _multiply_and_add(tiers: tuple[Tier, ...], usage: Decimal) -> Decimal:
    amount = Decimal(0)
    for start, end, unit_price, flat_fee in tiers:
        if end is None or usage <= end:
            return amount + (usage - start) * unit_price + flat_fee
        amount += (end - start) * unit_price + flat_fee
    raise AssertionError("the last tier has no end")


def _per_second(work: Callable[[list[Decimal]], list[Decimal]], usages: list[Decimal]) -> float:
    started = time.perf_counter()
    work(usages)
    return len(usages) / (time.perf_counter() - started)


def run() -> dict[str, Any]:
    """Ratings a second with steps, the ceiling's, and the share of the ceiling that is reached."""
    usages = [Decimal(i * 150_000 // PER_ROUND) for i in range(PER_ROUND)]
    assert rate_all(usages) == multiply_and_add_all(usages)
    pairs = [(_per_second(rate_all, usages), _per_second(multiply_and_add_all, usages)) for _ in range(ROUNDS)]
    rated, ceiling = (median(rates) for rates in zip(*pairs, strict=True))
    return {
        "rounds": ROUNDS,
        "ratings_per_round": PER_ROUND,
        "tiers": len(PRICE.tiers),
        "ratings_per_second": round(rated),
        "ceiling_per_second": round(ceiling),
        "share_of_ceiling": round(rated / ceiling, 2),
    }


def main() -> None:
    """Print the results as a table."""
    result = run()
    print(f"{result['tiers']} tiers, median of {result['rounds']} rounds of {result['ratings_per_round']:,}")
    print(f"{'rate(), with steps':32}{result['ratings_per_second']:>12,} /s")
    print(f"{'bare Decimal multiply-add':32}{result['ceiling_per_second']:>12,} /s")
    print(f"{'share of the ceiling':32}{result['share_of_ceiling']:>12.0%}")


if __name__ == "__main__":
    main()
