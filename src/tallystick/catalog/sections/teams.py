"""The `teams` section, and the `defaults` of teams that register themselves."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import partial

from tallystick.catalog.models import (
    Anchor,
    Defaults,
    PlanEntry,
    PriceEntry,
    TeamEntry,
    TeamTerms,
    instant_text,
)
from tallystick.catalog.place import Fields, Place, Refused
from tallystick.catalog.sections.plans import Plans
from tallystick.catalog.sections.prices import Metrics, PriceContext, read_all_prices
from tallystick.catalog.sections.terms import read_discounts, read_exchange_rates
from tallystick.catalog.terms import family_of, version_of

_SUBSCRIPTION_KEYS = ("start", "end", "anchor", "plan_version")
_AGREED_KEYS = ("prices", "fees", "discounts", "exchange_rate")
KEYS = ("name", "time_zone", "currency", "plan", *_SUBSCRIPTION_KEYS, *_AGREED_KEYS)
DEFAULT_KEYS = ("plan", "time_zone")


def read_teams(section: Place, plans: Plans, metrics: Metrics, currency: str | None) -> dict[str, TeamEntry]:
    """The teams by id; `currency` is that of the file."""
    teams = {}
    for team_id, key, value in section.entries():
        key.attempt(Place.key)
        read = partial(_read_team, team_id=team_id, plans=plans, metrics=metrics, default=currency)
        if team := value.attempt(read):
            teams[team_id] = team
    return teams


def _read_team(place: Place, team_id: str, plans: Plans, metrics: Metrics, default: str | None) -> TeamEntry:
    fields = place.fields(KEYS)
    _refuse_without_plan(fields)
    plan = fields.read("plan", lambda value: value.one_of(plans.known, "plan"))
    context = PriceContext(_price_currency(plans, plan) or default, metrics, "plan of the team" if plan else "file")
    if not context.currency and fields.given("prices", "fees"):
        fields.at("prices").refuse("needs plan, or a currency at the top of the file: what the prices are in")
    prices = read_all_prices(fields, context)
    _check_replaced(fields, prices, _plan_entry(plans, plan))
    start = fields.read("start", Place.day_or_instant)
    return TeamEntry(
        id=team_id,
        name=fields.read("name", Place.key),
        time_zone=fields.read("time_zone", Place.zone),
        plan=plan and family_of(plan),
        start=start,
        end=fields.read("end", lambda value: _end(value, start)),
        anchor=fields.read("anchor", lambda value: value.choice(Anchor)) or Anchor.CALENDAR,
        origin=fields.origin,
        plan_version=_plan_version(fields, plans, plan),
        currency=fields.read("currency", Place.currency),
        prices=prices,
        terms=TeamTerms(read_discounts(fields, metrics.names), fields.read("exchange_rate", read_exchange_rates) or {}),
    )


def _refuse_without_plan(fields: Fields) -> None:
    if not fields.given("plan"):
        for key in fields.given(*_SUBSCRIPTION_KEYS):
            fields.at(key).refuse("needs plan, the plan that the team is on")


def _end(place: Place, start: date | datetime | None) -> date | datetime:
    """The end, after the start; of a date and an instant only the zone tells which is later, so that waits."""
    end = place.day_or_instant()
    if start is not None and type(end) is type(start) and end <= start:
        shown = instant_text(start) if isinstance(start, datetime) else start.isoformat()
        raise Refused(f"must be after start, {shown}")
    return end


def _plan_entry(plans: Plans, plan: str | None) -> PlanEntry | None:
    return plans.entries.get(plan if plan and "@" in plan else plans.latest(plan or ""))


def _price_currency(plans: Plans, plan: str | None) -> str | None:
    """What the team's prices have to be in: the currency of its plan."""
    entry = _plan_entry(plans, plan)
    return entry.currency if entry else None


def _check_replaced(fields: Fields, prices: Iterable[PriceEntry], plan: PlanEntry | None) -> None:
    """A price that takes the place of one of the plan has to be of the same metric: else that is charged no more."""
    of_plan = {entry.price.label: entry.price.metric for entry in plan.prices} if plan else {}
    for entry in prices:
        name, metric = entry.price.label, entry.price.metric
        replaced = of_plan.get(name, metric)
        if plan and replaced != metric:
            here = entry.origin.of("name")
            what = f"the price of {replaced}" if replaced else "a fee"
            message = f"{name} is {what} in plan {plan.name}, which this would replace; give this one another name"
            fields.place.problems.add(here.line, here.column, here.key, message)


def _plan_version(fields: Fields, plans: Plans, plan: str | None) -> int | None:
    if plan is None:
        return None
    named = version_of(plan) if "@" in plan else None
    highest = version_of(plans.latest(family_of(plan)))
    return fields.read("plan_version", lambda value: _version(value, highest, named)) or named


def _version(place: Place, highest: int, named: int | None) -> int:
    version = place.whole(1, highest)
    if named is not None and version != named:
        raise Refused(f"must be {named}, as plan says")
    return version


def read_defaults(place: Place, plans: Plans | None) -> Defaults:
    """The defaults, their plan by its stored name; `plans` are those that may be named, None where any may."""
    fields = place.fields(DEFAULT_KEYS)
    plan = fields.read("plan", Place.key if plans is None else lambda value: value.one_of(plans.known, "plan"))
    if plan and plans and "@" not in plan:
        plan = plans.latest(plan)
    return Defaults(plan, fields.read("time_zone", Place.zone) or "UTC")
