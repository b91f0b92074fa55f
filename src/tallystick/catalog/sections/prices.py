"""The prices and fees of a plan or a team.

What a price needs is its own to say (`tallystick.pricing`); its complaints are given the line of the key they
name. Checked here is what a file can get wrong besides: the order of tiers, whether a price fits the metric it
is of, and the history that several prices of one name form.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from tallystick.catalog.models import PriceEntry
from tallystick.catalog.place import Fields, Place, Refused
from tallystick.catalog.sections.fitting import check_fit
from tallystick.catalog.sections.intervals import check_history, read_effective
from tallystick.catalog.sections.price_draft import PriceDraft
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import MODELS

FEE_KEYS = ("name", "amount", "prorate", "currency", "description", "effective_from", "effective_to")


class Metrics(NamedTuple):
    """The metrics of the file: all their names, and the definitions of those that are right."""

    names: Collection[str]
    definitions: Mapping[str, MetricDefinition]


class PriceContext(NamedTuple):
    """What the prices of one plan or team are checked against."""

    currency: str | None
    metrics: Metrics
    owner: str = "plan"


def read_all_prices(fields: Fields, context: PriceContext) -> tuple[PriceEntry, ...]:
    """What stands under `prices` and `fees`, in this order; names are unique among both at every instant."""
    priced = fields.read("prices", lambda section: _read_each(section, context, fees=False)) or []
    fees = fields.read("fees", lambda section: _read_each(section, context, fees=True)) or []
    entries = [*priced, *fees]
    check_history(_of_one_metric(entries, fields), fields.place.problems)
    return tuple(entry for _, entry in entries)


def _read_each(section: Place, context: PriceContext, *, fees: bool) -> list[tuple[str, PriceEntry]]:
    return section.each(lambda place: _read_fee(place, context) if fees else _read_price(place, context))


def _read_price(place: Place, context: PriceContext) -> tuple[str, PriceEntry] | None:
    """One price with its name; None where its metric or model is not known, so that nothing more can be said."""
    fields = place.fields()
    fields.read("description", Place.prose)
    metric = fields.need("metric", lambda value: value.one_of(context.metrics.names, "metric"))
    model = fields.need("model", lambda value: value.one_of(MODELS, "price model"))
    currency = fields.read("currency", lambda value: _same_currency(value, context))
    name = fields.read("name", Place.key)
    effective = read_effective(fields)
    if model is None:
        return None
    own_name = name if name != metric else None
    price = PriceDraft(fields, own_name, model, currency or context.currency or "USD").build(metric or "")
    if price is None or metric is None:
        return None
    if definition := context.metrics.definitions.get(metric):
        check_fit(fields, price, definition)
    return name or metric, PriceEntry(price, effective.start, fields.origin, effective.end)


def _read_fee(place: Place, context: PriceContext) -> tuple[str, PriceEntry] | None:
    """A fee: a flat price without a metric."""
    fields = place.fields(FEE_KEYS)
    fields.read("description", Place.prose)
    name = fields.need("name", Place.key, "what the fee is called on the bill, such as base")
    currency = fields.read("currency", lambda value: _same_currency(value, context))
    effective = read_effective(fields)
    if not fields.given("amount"):
        fields.at("amount").refuse("is required")
        return None
    draft = PriceDraft(fields, name or "fee", "flat", currency or context.currency or "USD")
    price = draft.without(set(fields.keys) - set(FEE_KEYS)).build(None)
    return (name, PriceEntry(price, effective.start, fields.origin, effective.end)) if price and name else None


def _same_currency(place: Place, context: PriceContext) -> str:
    currency = place.currency()
    if context.currency and currency != context.currency:
        hint = "; another currency needs another plan" if context.owner == "plan" else ""
        raise Refused(f"must be {context.currency}, the currency of the {context.owner}{hint}")
    return currency


def _of_one_metric(entries: Sequence[tuple[str, PriceEntry]], fields: Fields) -> list[tuple[str, PriceEntry]]:
    """The entries without those of another metric than the first of their name, which are noted.

    One name is one price's history: it can't price one metric first and another later.
    """
    first: dict[str, PriceEntry] = {}
    fitting = []
    for name, entry in entries:
        known = first.setdefault(name, entry)
        if known.price.metric == entry.price.metric:
            fitting.append((name, entry))
            continue
        here, line = entry.origin.of("name"), known.origin.position.line
        what = f"is of {known.price.metric}" if known.price.metric else "is a fee"
        message = f"{name} {what} in line {line}; give this one another name"
        fields.place.problems.add(here.line, here.column, here.key, message)
    return fitting
