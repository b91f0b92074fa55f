"""How many usages a second are rated, with their steps, on one core.

The ceiling is the least that any implementation must do for the amount alone: walk the tiers with bare
`Decimal` operators (28 digits, nothing checked), multiply, add. Both run in turns in the same process
over the same usages, spread over the tiers.
"""

import time
from collections.abc import Callable
from decimal import Decimal

from benchmarks.results import Figure, Result
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


def measure(usages: int, *, rounds: int = ROUNDS) -> Result:
    """Rate that many usages a round."""
    each = [Decimal(i * 150_000 // usages) for i in range(usages)]
    assert rate_all(each) == multiply_and_add_all(each)
    found = [(_per_second(rate_all, each), _per_second(multiply_and_add_all, each)) for _ in range(rounds)]
    setting = f"{rounds} rounds of {usages:,} usages; {len(PRICE.tiers)} graduated tiers."
    return Result("rating", setting, [Figure("rated, with steps", "charges/s", found, "bare multiply and add")])
