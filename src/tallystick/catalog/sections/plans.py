"""The `plans` section: sets of prices, the currency they are in, and how often they are billed."""

from collections.abc import Collection
from functools import partial

from tallystick.catalog.models import BillingPeriod, PeriodUnit, PlanEntry
from tallystick.catalog.place import Place
from tallystick.catalog.sections.prices import PlanTerms, read_prices

KEYS = ("description", "currency", "period", "prices")
MAX_EVERY = 1000


def read_plans(section: Place, currency: str | None, metrics: Collection[str]) -> dict[str, PlanEntry]:
    """The plans by name; `currency` is that of a plan which names none."""
    plans = {}
    for name, key, value in section.entries():
        key.attempt(Place.name)
        if plan := value.attempt(partial(_read_plan, name=name, default=currency, metrics=metrics)):
            plans[name] = plan
    return plans


def _read_plan(place: Place, name: str, default: str | None, metrics: Collection[str]) -> PlanEntry:
    fields = place.fields(KEYS)
    fields.read("description", Place.prose)
    currency = fields.read("currency", Place.currency) or default
    if currency is None and not fields.given("currency"):
        fields.at("currency").refuse("is required here or at the top of the file, such as USD")
    prices = fields.read("prices", lambda value: read_prices(value, PlanTerms(currency, metrics)))
    period = fields.read("period", _period) or BillingPeriod()
    return PlanEntry(name, currency or "", period, prices or (), fields.origin)


def _period(place: Place) -> BillingPeriod:
    if not isinstance(place.node.value, dict):
        return BillingPeriod(place.choice(PeriodUnit))
    fields = place.fields(("every", "unit"))
    every = fields.read("every", lambda value: value.whole(1, MAX_EVERY)) or 1
    unit = fields.need("unit", lambda value: value.choice(PeriodUnit))
    return BillingPeriod(unit or PeriodUnit.MONTH, every)
