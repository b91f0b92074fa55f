"""Terms besides prices: discounts, the minimum and commitment of a plan, and what a team has of its own."""

from collections.abc import Collection, Mapping
from decimal import Decimal

from tallystick.catalog.place import Fields, Place, Refused
from tallystick.catalog.sections.intervals import read_effective
from tallystick.catalog.terms import ONE, PlanCommitment, ScopedDiscount, Terms
from tallystick.core.errors import InvalidInput
from tallystick.core.money import currency_exponent, plain

TERM_KEYS = ("trial_days", "minimum", "commitment", "discounts")
DISCOUNT_KEYS = ("name", "percent", "amount", "metrics", "from", "to", "description")
COMMITMENT_KEYS = ("amount", "overage_factor", "true_up")
LONGEST_TRIAL = 3650


def read_terms(fields: Fields, metrics: Collection[str]) -> Terms:
    """The terms of a plan."""
    return Terms(
        trial_days=fields.read("trial_days", lambda value: value.whole(0, LONGEST_TRIAL)) or 0,
        minimum=fields.read("minimum", Place.not_negative),
        commitment=fields.read("commitment", _commitment),
        discounts=read_discounts(fields, metrics),
    )


def read_discounts(fields: Fields, metrics: Collection[str]) -> tuple[ScopedDiscount, ...]:
    """The discounts under `discounts`, in the order of the file, which is that in which they come off."""
    return tuple(fields.read("discounts", lambda value: value.each(lambda one: _discount(one, metrics))) or ())


def _discount(place: Place, metrics: Collection[str]) -> ScopedDiscount:
    fields = place.fields(DISCOUNT_KEYS)
    fields.read("description", Place.prose)
    given = fields.given("percent", "amount")
    if len(given) != 1:
        where = fields.at("amount") if given else place
        where.refuse("needs percent or amount, and not both")
    scope = fields.read("metrics", lambda value: _scope(value, metrics)) or ()
    start, end = read_effective(fields, "from", "to")
    percent, amount = fields.read("percent", percentage), fields.read("amount", Place.positive)
    return ScopedDiscount(percent, amount, scope, start, end, fields.read("name", Place.key) or "")


def percentage(place: Place) -> Decimal:
    """Per cent, above 0 and at most 100."""
    number = place.number()
    if not 0 < number <= 100:
        raise Refused(f"must be above 0 and at most 100, not {plain(number)}")
    return number


def _scope(place: Place, metrics: Collection[str]) -> tuple[str, ...]:
    if not place.items():
        raise Refused("must name at least one metric; left out, it is for all charges")
    return tuple(dict.fromkeys(place.each(lambda item: item.one_of(metrics, "metric"))))


def _commitment(place: Place) -> PlanCommitment:
    if not isinstance(place.node.value, Mapping):
        return PlanCommitment(place.not_negative())
    fields = place.fields(COMMITMENT_KEYS)
    amount = fields.need("amount", Place.not_negative)
    factor, true_up = fields.read("overage_factor", Place.not_negative), fields.read("true_up", Place.flag)
    return PlanCommitment(amount or Decimal(0), ONE if factor is None else factor, true_up is not False)


def read_exchange_rates(place: Place) -> Mapping[str, Decimal]:
    """Pinned rates by pair, such as `USD/EUR: 0.9`."""
    rates: dict[str, Decimal] = {}
    for pair, key, value in place.entries():
        known, rate = key.attempt(_pair), value.attempt(Place.positive)
        if known and _inverse(pair) in rates:
            key.refuse(f"{_inverse(pair)} is pinned already, which is the same rate the other way round")
        elif known and rate:
            rates[pair] = rate
    return rates


def _pair(place: Place) -> str:
    base, _, quote = place.node.text.partition("/")
    try:
        for code in (base, quote):
            currency_exponent(code)
    except InvalidInput:
        raise Refused(f"{place.node.text!r} is not a pair of ISO 4217 currencies such as USD/EUR") from None
    if base == quote:
        raise Refused("has the same currency twice")
    return place.node.text


def _inverse(pair: str) -> str:
    return "/".join(reversed(pair.split("/")))
