"""Prices and terms of many plans and teams, read with a few statements and then asked for in memory.

    book = await PriceBook.load(tx, plans, span, team_ids)      # once for thousands of teams
    book.prices("growth@2", period, "acme")                     # the versions that hold in the period
    book.plan_terms("growth@2", period)                         # in force at the period's end

Teams of one plan and period without prices of their own are given the very same tuple.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, Self, TypeVar

from tallystick.catalog.documents import team_terms_from_json, terms_from_json
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.terms import BillingPeriod, PeriodUnit, PlanTerms, TeamTerms
from tallystick.core.clock import Interval
from tallystick.core.errors import NotFound
from tallystick.pricing import Price
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

FOREVER = datetime.max.replace(tzinfo=UTC)
"""As a moment of knowledge: everything that is recorded."""

Row = tuple[Any, ...]
T = TypeVar("T")


class Named(NamedTuple):
    """A price version and its name, which is its identity inside a plan."""

    name: str
    version: PriceVersion


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices and terms as they were known at one moment. Built by `load`."""

    span: Interval
    _of_plans: Mapping[str, Sequence[Named]]
    _of_teams: Mapping[str, Sequence[Named]]
    _plans: Mapping[str, Sequence[tuple[datetime | None, PlanTerms]]]
    _teams: Mapping[str, Sequence[tuple[datetime | None, TeamTerms]]]
    _shared: dict[tuple[str, Interval], tuple[PriceVersion, ...]] = field(default_factory=dict)

    @classmethod
    async def load(
        cls,
        tx: Connection,
        plans: Collection[str],
        span: Interval,
        team_ids: Collection[str] = (),
        known_at: datetime | None = None,
    ) -> Self:
        """What some plans and teams pay at some time of `span`, with three statements however many they are.

        Args:
            tx: a snapshot or transaction.
            plans: the names that plans are stored under, such as `growth@2`.
            span: an interval that holds every period that will be asked for.
            team_ids: the teams that may have prices or terms of their own.
            known_at: leave out what was recorded later; None: nothing is left out.
        """
        known = {"known_at": known_at or FOREVER, "plans": list(plans), "team_ids": list(team_ids)}
        of_plans, of_teams = _priced(await _rows(tx, "prices_as_known", {**known, **span._asdict()}))
        return cls(
            span,
            of_plans,
            of_teams,
            _plan_terms(await _rows(tx, "plan_terms_as_known", known)),
            _team_terms(await _rows(tx, "team_terms_as_known", known)),
        )

    def prices(self, plan: str, interval: Interval, team_id: str | None = None) -> tuple[PriceVersion, ...]:
        """The prices that hold at some time of the interval, by name and then by time; they don't overlap.

        A price that was agreed with the team takes the place of the plan's of the same name while it holds: the
        plan's is given for what is left of its interval. One in another currency than the plan's is left out.
        """
        agreed = _touching(self._of_teams.get(team_id or "", ()), interval)
        if agreed:
            currency = self._plans[plan][-1][1].currency if plan in self._plans else None
            agreed = [each for each in agreed if each.version.price.currency == currency]
        if not agreed:
            return self._plan_prices(plan, interval)
        versions = _overridden(_touching(self._of_plans.get(plan, ()), interval), agreed)
        return tuple(each.version for each in _in_order(versions))

    def plan_terms(self, plan: str, period: Interval | None = None) -> PlanTerms:
        """The terms in force at the end of the period; without one, the latest.

        Raises:
            NotFound: no such plan was asked for, or there is none.
        """
        terms = _in_force(self._plans.get(plan, ()), period)
        if terms is None:
            raise NotFound(f"there is no plan {plan!r}")
        return terms

    def team_terms(self, team_id: str, period: Interval | None = None) -> TeamTerms:
        """What was agreed with the team, as in force at the end of the period; without one, the latest."""
        return _in_force(self._teams.get(team_id, ()), period) or _NOTHING

    def _plan_prices(self, plan: str, interval: Interval) -> tuple[PriceVersion, ...]:
        key = (plan, interval)
        if key not in self._shared:
            found = _touching(self._of_plans.get(plan, ()), interval)
            self._shared[key] = tuple(each.version for each in found)
        return self._shared[key]


_NOTHING = TeamTerms()


async def _rows(tx: Connection, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    return await (await tx.execute(QUERIES[name], parameters)).fetchall()


def _priced(rows: Iterable[Row]) -> tuple[dict[str, list[Named]], dict[str, list[Named]]]:
    of_plans: dict[str, list[Named]] = defaultdict(list)
    of_teams: dict[str, list[Named]] = defaultdict(list)
    for id, name, plan, team_id, metric, model, currency, parameters, start, end in rows:
        version = PriceVersion(id, price_from_row(metric, model, currency, parameters), start, end, team_id)
        (of_plans[plan] if team_id is None else of_teams[team_id]).append(Named(name, version))
    return dict(of_plans), dict(of_teams)


def _plan_terms(rows: Iterable[Row]) -> dict[str, list[tuple[datetime | None, PlanTerms]]]:
    found: dict[str, list[tuple[datetime | None, PlanTerms]]] = defaultdict(list)
    for name, version, currency, unit, every, start, document in rows:
        terms = terms_from_json(document)
        period = BillingPeriod(PeriodUnit(unit), every)
        agreed = (terms.trial_days, terms.minimum, terms.commitment, terms.discounts)
        found[name].append((start, PlanTerms(name, version, currency, period, *agreed)))
    return dict(found)


def _team_terms(rows: Iterable[Row]) -> dict[str, list[tuple[datetime | None, TeamTerms]]]:
    found: dict[str, list[tuple[datetime | None, TeamTerms]]] = defaultdict(list)
    for team_id, start, document in rows:
        found[team_id].append((start, team_terms_from_json(document)))
    return dict(found)


def _in_force(versions: Sequence[tuple[datetime | None, T]], period: Interval | None) -> T | None:
    """The last version that begins before the period's end; of a plan that is younger, its first."""
    if not versions:
        return None
    begun = [content for start, content in versions if period is None or start is None or start < period.end]
    return begun[-1] if begun else versions[0][1]


def _touching(versions: Sequence[Named], interval: Interval) -> list[Named]:
    """Those that hold at some time of the interval."""
    return [
        each
        for each in versions
        if (each.version.effective_from is None or each.version.effective_from < interval.end)
        and (each.version.effective_to is None or each.version.effective_to > interval.start)
    ]


def _overridden(plan: Sequence[Named], agreed: Sequence[Named]) -> Iterator[Named]:
    """The agreed prices, and what they leave of the plan's."""
    yield from agreed
    for each in plan:
        pieces = [each.version]
        for other in agreed:
            if other.name == each.name:
                pieces = [left for piece in pieces for left in _without(piece, other.version)]
        yield from (Named(each.name, piece) for piece in pieces)


def _without(version: PriceVersion, other: PriceVersion) -> Iterator[PriceVersion]:
    """What is left of a version outside of another's interval."""
    start, end = version.effective_from, version.effective_to
    other_start, other_end = other.effective_from, other.effective_to
    if (other_end is not None and start is not None and other_end <= start) or (
        other_start is not None and end is not None and other_start >= end
    ):
        yield version
        return
    if other_start is not None and (start is None or start < other_start):
        yield version._replace(effective_to=other_start)
    if other_end is not None and (end is None or other_end < end):
        yield version._replace(effective_from=other_end)


def _in_order(versions: Iterable[Named]) -> list[Named]:
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(versions, key=lambda each: (each.name, each.version.effective_from or beginning))


@lru_cache(maxsize=4096)
def price_from_row(metric: str | None, model: str, currency: str, parameters: str) -> Price:
    """The price that a row spells; `parameters` is its JSON text. Equal rows are the same object."""
    return Price.from_parameters(metric, model, currency, json.loads(parameters))
