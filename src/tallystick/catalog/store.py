"""What the catalogue says, for the rest of the product: prices, terms, rules and defaults in force."""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tallystick.catalog.documents import rules_from_json
from tallystick.catalog.loading import defaults_of
from tallystick.catalog.models import BillingRules, Defaults, PriceVersion
from tallystick.catalog.price_book import FOREVER, PriceBook
from tallystick.catalog.terms import PlanTerms, TeamTerms
from tallystick.core.clock import Interval
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

_queries = Queries.load(__package__ or "")

_NEVER = Interval(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))
"""Of terms alone no prices are read."""


async def _rows(tx: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return await (await tx.execute(_queries[name], parameters)).fetchall()


async def price_versions(
    tx: Connection,
    plan: str,
    interval: Interval,
    team_id: str | None = None,
    known_at: datetime | None = None,
) -> list[PriceVersion]:
    """The prices that hold at some time of the interval, by name and then by time.

    With a team, those agreed with it take the place of the plan's of the same name; see `PriceBook.prices`.
    With a moment, what was recorded by then. For many plans, periods or teams load a `PriceBook` once.
    """
    book = await PriceBook.load(tx, [plan], interval, [team_id] if team_id else [], known_at)
    return list(book.prices(plan, interval, team_id))


async def plan_terms(
    tx: Connection, plan: str, period: Interval | None = None, known_at: datetime | None = None
) -> PlanTerms:
    """The plan with the terms in force at the end of the period, as known at a moment; by default the latest.

    Raises:
        NotFound: there is no such plan.
    """
    return (await PriceBook.load(tx, [plan], period or _NEVER, (), known_at)).plan_terms(plan, period)


async def team_terms(
    tx: Connection, team_id: str, period: Interval | None = None, known_at: datetime | None = None
) -> TeamTerms:
    """What was agreed with the team: as in force at the end of the period, as known at a moment."""
    return (await PriceBook.load(tx, (), period or _NEVER, [team_id], known_at)).team_terms(team_id, period)


async def billing_rules(tx: Connection, known_at: datetime | None = None) -> BillingRules:
    """How periods are closed and invoices written, as the last file says that was applied (by a moment)."""
    rows = await _rows(tx, "billing_rules", {"known_at": known_at or FOREVER})
    return _rules(rows[0][0]) if rows else BillingRules()


@lru_cache(maxsize=64)
def _rules(document: str) -> BillingRules:
    return rules_from_json(json.loads(document))


async def latest_source(tx: Connection) -> str | None:
    """The file as it was applied last; None before the first time."""
    rows = await _rows(tx, "latest_revision")
    return rows[0][0] if rows else None


async def defaults(tx: Connection) -> Defaults:
    """What a team gets that registers itself, as the file says that was applied last."""
    source = await latest_source(tx)
    return Defaults() if source is None else defaults_of(source)


async def moment(tx: Connection, now: datetime) -> datetime:
    """`now`, but not before the latest apply, whose clock may have been ahead of this one."""
    rows = await _rows(tx, "latest_revision")
    return max(now, rows[0][1]) if rows else now


async def lock(tx: Connection) -> None:
    """Wait for any other apply and for the roll-up, and keep them waiting until this transaction ends."""
    await tx.execute(_queries["lock_catalogue"])


async def lock_teams(tx: Connection, team_ids: Collection[str]) -> None:
    """Let nobody else change these teams' subscriptions until the transaction ends."""
    await tx.execute(_queries["lock_teams"], {"ids": sorted(team_ids)})
