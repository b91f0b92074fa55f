"""What hypothesis draws: tiers, and usage to try prices with, whatever a price asks to be told."""

from decimal import Context, Decimal, Inexact, localcontext

from hypothesis import strategies as st

from tallystick.core.money import ZERO
from tallystick.pricing import Cell, Price, Tier, Used
from tallystick.pricing.exact import total
from tallystick.pricing.price_models.matrix import Matrix
from tests.unit.pricing.tables import PRICES

WIDE = Context(prec=1000, traps=[Inexact])

money = st.decimals(0, 10**6, allow_nan=False, allow_infinity=False, places=9) | st.just(ZERO)
quantities = st.decimals(0, 10**19, allow_nan=False, allow_infinity=False, places=18)
quotients = st.builds(Context(prec=100).divide, quantities, st.integers(1, 10**6).map(Decimal))
near_tiers = st.sampled_from(
    [bound + step for price in PRICES for tier in price.tiers if (bound := tier.end) for step in (-1, ZERO, 1)]
)
quantity = quantities | quotients | near_tiers | st.integers(0, 200_000).map(Decimal)
signed = quantity | quantity.map(Decimal.copy_negate)
sums_of_money = st.decimals(-(10**4), 10**6, allow_nan=False, places=2)


@st.composite
def without_cells(draw, *, final=True):
    """A quantity of some events, or the events themselves."""
    if draw(st.booleans()):
        amounts = tuple(draw(st.lists(sums_of_money, max_size=6)))
        return Used(total(amounts), len(amounts), amounts, final=final)
    return of_events(draw(signed), draw(st.integers(1, 5)), final=final)


def of_events(of_all, number, *, final=True):
    """The quantity as that of so many events, the last of which makes it what it is."""
    amounts = (*[Decimal(1)] * (number - 1), Context(prec=500).subtract(of_all, Decimal(number - 1)))
    return Used(of_all, number, amounts, final=final)


def values_of(price: Price):
    """Combinations of values that a matrix has a rate for, and others."""
    assert isinstance(price.terms, Matrix)
    named = [{value for rate in price.terms.rates for value in rate.where[i]} for i in range(len(price.group_by))]
    return st.tuples(*(st.sampled_from([None, "elsewhere", *sorted(values)]) for values in named))


@st.composite
def used(draw, price: Price):
    """A usage with everything that the price asks for."""
    final = draw(st.booleans())
    if not price.group_by:
        return draw(without_cells(final=final))
    cells = st.builds(Cell, values_of(price), without_cells())
    each = tuple(draw(st.lists(cells, max_size=5)))
    return Used(total(cell.used.quantity for cell in each), sum(cell.used.events for cell in each), None, each, final)


def some_usage(price: Price) -> list[Used]:
    """Usage that makes the price show what it can, without drawing."""
    each = [of_events(Decimal(quantity), number) for quantity, number in ((-1, 1), (0, 1), (3, 4), (10**6, 9))]
    if not isinstance(price.terms, Matrix):
        return each
    values = [tuple(named[0] if named else None for named in rate.where) for rate in price.terms.rates]
    return [
        Used(
            part.quantity, part.events, None, tuple(Cell(place, part) for place in [*values, (None,) * len(values[0])])
        )
        for part in each
    ]


@st.composite
def tiers(draw, fees=money):
    ends = sorted(draw(st.sets(quantities.filter(bool) | st.integers(1, 10**5).map(Decimal), max_size=6)))
    starts = [ZERO, *ends]
    return tuple(Tier(start, end, draw(money), draw(fees)) for start, end in zip(starts, [*ends, None], strict=True))


def price_by(terms):
    return Price("calls", "USD", terms)


def exactly(numbers):
    with localcontext(WIDE):
        return sum(numbers, ZERO)
