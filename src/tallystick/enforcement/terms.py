"""What limits a team with a metric in the period that is running, as the ledger has it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from tallystick.billing.accounts import MOMENT, Occasion, occasion_of
from tallystick.billing.teams import store as teams
from tallystick.catalog.terms import family_of
from tallystick.core.clock import Interval
from tallystick.core.errors import InvalidInput, NotFound, TallystickError
from tallystick.enforcement import store
from tallystick.enforcement.models import LIMITED, Hold, Limit, LimitType
from tallystick.enforcement.store import Key
from tallystick.enforcement.throttles import Throttle, throttles_of
from tallystick.metering.event_store import Followed
from tallystick.metering.models import MetricVersion
from tallystick.metering.usage import find_metric
from tallystick.storage.database import Connection


class Terms(NamedTuple):
    """Of a team and a metric: which usage counts, its limits, what stops it, and what reservations keep free."""

    followed: Followed
    hard: Decimal | None
    soft: Decimal | None
    throttles: Sequence[Throttle]
    holds: Mapping[UUID, Hold]


class _Read(NamedTuple):
    """What one reading of the ledger found."""

    occasions: Mapping[str, Occasion]
    limits: Sequence[Limit]
    throttles: Sequence[Throttle]
    holds: Mapping[Key, Mapping[UUID, Hold]]


async def read_terms(
    tx: Connection, keys: Collection[Key], metrics: Mapping[str, Sequence[MetricVersion]], now: datetime
) -> tuple[dict[Key, Terms], dict[Key, TallystickError]]:
    """The terms of each, and why others have none: there is no such team or metric, or it can't be limited."""
    found = await _read(tx, keys, now)
    terms: dict[Key, Terms] = {}
    refused: dict[Key, TallystickError] = {}
    for key in keys:
        try:
            terms[key] = _terms(key, found, metrics)
        except TallystickError as error:
            refused[key] = error
    return terms, refused


def limited_metric(name: str, metrics: Mapping[str, Sequence[MetricVersion]]) -> Sequence[MetricVersion]:
    """The versions of a metric whose usage can be limited.

    Raises:
        NotFound: there is no such metric.
        InvalidInput: its usage does not grow by what is used.
    """
    versions = find_metric(name, metrics)
    aggregation = versions[-1].definition.aggregation
    if aggregation not in LIMITED:
        allowed = ", ".join(sorted(LIMITED))
        message = f"metric {name!r} is {aggregation}, whose usage can't be limited; those that can are {allowed}"
        raise InvalidInput(message, field="metric")
    return versions


async def _read(tx: Connection, keys: Collection[Key], now: datetime) -> _Read:
    team_ids = sorted({key.team_id for key in keys})
    known = await teams.teams_by_id(tx, team_ids)
    held = await teams.subscriptions_of(tx, list(known), Interval(now, now + MOMENT))
    occasions = {id: occasion_of(team, held[id][-1] if held[id] else None, now) for id, team in known.items()}
    return _Read(
        occasions=occasions,
        limits=await store.limits_of(tx, team_ids, _plans(occasions.values()), {key.metric for key in keys}),
        throttles=await throttles_of(tx, team_ids, now),
        holds=await store.holds(tx, keys, now),
    )


def _plans(occasions: Iterable[Occasion]) -> set[str]:
    """What limits may name the plans of these: as they are stored, and without a version."""
    stored = {each.subscription.plan for each in occasions if each.subscription}
    return stored | {family_of(plan) for plan in stored}


def _terms(key: Key, found: _Read, metrics: Mapping[str, Sequence[MetricVersion]]) -> Terms:
    versions = limited_metric(key.metric, metrics)
    occasion = found.occasions.get(key.team_id)
    if occasion is None:
        raise NotFound(f"there is no team {key.team_id!r}")
    mine = [each for each in found.limits if each.metric == key.metric]
    return Terms(
        followed=Followed(versions, key.team_id, occasion.period),
        hard=_in_force(mine, LimitType.HARD, occasion),
        soft=_in_force(mine, LimitType.SOFT, occasion),
        throttles=[t for t in found.throttles if t.team_id == key.team_id and t.metric in (None, key.metric)],
        holds=found.holds[key],
    )


def _in_force(limits: Iterable[Limit], type: LimitType, occasion: Occasion) -> Decimal | None:
    """The limit that holds: the team's own, else that of its plan's version, else that of the plan."""
    plan = occasion.subscription.plan if occasion.subscription else None
    ranked = {
        rank: each.quantity
        for each in limits
        if each.type is type and (rank := _rank(each, occasion.team.id, plan)) is not None
    }
    return ranked[min(ranked)] if ranked else None


def _rank(limit: Limit, team_id: str, plan: str | None) -> int | None:
    """How near a limit is to a team on a plan, 0 being nearest; None: it is not about it."""
    if limit.team_id is not None:
        return 0 if limit.team_id == team_id else None
    if plan is None or limit.plan is None:
        return None
    if limit.plan == plan:
        return 1
    return 2 if limit.plan == family_of(plan) else None
