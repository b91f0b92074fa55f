"""The `plans` section: sets of prices, the currency they are in, how often they are billed, and other terms."""

import re
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from tallystick.catalog.models import BillingPeriod, PeriodUnit, PlanEntry
from tallystick.catalog.place import Fields, Place, Refused, check_name
from tallystick.catalog.sections.prices import Metrics, PriceContext, read_all_prices
from tallystick.catalog.sections.terms import TERM_KEYS, read_terms
from tallystick.catalog.terms import family_of, version_of, versioned

KEYS = ("description", "version", "currency", "period", *TERM_KEYS, "fees", "prices")
MAX_EVERY = 1000
MAX_VERSION = 9999
_VERSIONED = re.compile(r"(?P<family>[^@]*)@(?P<version>[1-9][0-9]{0,3})")


class Plans(NamedTuple):
    """The plans as teams may name them: every key of the section, and what of it is right, by stored name."""

    names: frozenset[str]
    entries: Mapping[str, PlanEntry]

    @property
    def known(self) -> frozenset[str]:
        """What a team may name: a plan, or one version of it."""
        return self.names | {family_of(name) for name in self.names} | self.entries.keys()

    def latest(self, family: str) -> str:
        """The highest version of a plan that the file has, by its stored name."""
        versions = [version_of(name) for name in self.entries if family_of(name) == family]
        return versioned(family, max(versions, default=1))


def read_plans(section: Place, currency: str | None, metrics: Metrics) -> dict[str, PlanEntry]:
    """The plans by the name they are stored under; `currency` is that of a plan which names none."""
    plans: dict[str, PlanEntry] = {}
    for name, key, value in section.entries():
        key.attempt(_check_name)
        plan = value.attempt(partial(_read_plan, name=name, default=currency, metrics=metrics))
        if plan and plan.name in plans:
            known = plans[plan.name].origin.position.line
            key.refuse(f"is version {version_of(plan.name)} of {family_of(plan.name)}, as in line {known}")
        elif plan:
            plans[plan.name] = plan
    return plans


def _check_name(place: Place) -> None:
    """A name, or a name with a version: `growth@2`."""
    text = place.node.text
    if match := _VERSIONED.fullmatch(text):
        text = match["family"]
    check_name(text)


def _read_plan(place: Place, name: str, default: str | None, metrics: Metrics) -> PlanEntry:
    fields = place.fields(KEYS)
    fields.read("description", Place.prose)
    currency = fields.read("currency", Place.currency) or default
    if currency is None and not fields.given("currency"):
        fields.at("currency").refuse("is required here or at the top of the file, such as USD")
    return PlanEntry(
        name=_stored_name(fields, name),
        currency=currency or "",
        period=fields.read("period", _period) or BillingPeriod(),
        prices=read_all_prices(fields, PriceContext(currency, metrics)),
        origin=fields.origin,
        terms=read_terms(fields, metrics.names),
    )


def _stored_name(fields: Fields, name: str) -> str:
    match = _VERSIONED.fullmatch(name)
    version = fields.read("version", lambda value: _version(value, match["version"] if match else None))
    return versioned(match["family"], int(match["version"])) if match else versioned(name, version or 1)


def _version(place: Place, named: str | None) -> int:
    version = place.whole(1, MAX_VERSION)
    if named is not None and version != int(named):
        raise Refused(f"must be {named}, as the plan's name says")
    return version


def _period(place: Place) -> BillingPeriod:
    if not isinstance(place.node.value, dict):
        return BillingPeriod(place.choice(PeriodUnit))
    fields = place.fields(("every", "unit"))
    every = fields.read("every", lambda value: value.whole(1, MAX_EVERY)) or 1
    unit = fields.need("unit", lambda value: value.choice(PeriodUnit))
    return BillingPeriod(unit or PeriodUnit.MONTH, every)
