"""Writes what applying a plan of changes comes to."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from psycopg.types.json import Jsonb

from tallystick.catalog.documents import rules_to_json, team_terms_to_json, terms_to_json
from tallystick.catalog.models import Catalogue
from tallystick.catalog.state import PlanRow, PriceKey, SubscriptionEdits, TeamRow, Writes
from tallystick.catalog.terms import family_of, version_of
from tallystick.catalog.timeline import BEGINNING, END, Edits, Version
from tallystick.core.errors import Conflict
from tallystick.metering.definitions import definition_to_json
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import Price
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

_queries = Queries.load(__package__ or "")

C = TypeVar("C")


async def write(tx: Connection, writes: Writes, now: datetime) -> None:
    """Write what a plan of changes comes to, as of `now`."""
    for definition in writes.metrics:
        await _insert_metric(tx, definition, now)
    for metric_edits in writes.metric_versions:
        await _edit_metric(tx, metric_edits, now)
    for plan in writes.plans:
        await _save_plan(tx, plan, now)
    for name, plan_edits in writes.plan_terms:
        await _edit_terms(tx, "plan", name, _documents(plan_edits, terms_to_json), now)
    for name in writes.archived_plans:
        await tx.execute(_queries["archive_plan"], {"name": name, "now": now})
    for team in writes.teams:
        await _save_team(tx, team, now)
    for team_id, team_edits in writes.team_terms:
        await _edit_terms(tx, "team", team_id, _documents(team_edits, team_terms_to_json), now)
    for key, price_edits in writes.prices:
        await _edit_price(tx, key, price_edits, now)
    await tx.execute(_queries["recorded_at"], {"now": now})
    for subscriptions in writes.subscriptions:
        await _edit_subscriptions(tx, subscriptions, now)


async def keep_source(tx: Connection, catalogue: Catalogue, now: datetime) -> None:
    """Keep the text of the file that is being applied, and its rules of billing."""
    row = {"source": catalogue.source, "billing": Jsonb(rules_to_json(catalogue.billing)), "now": now}
    await tx.execute(_queries["insert_revision"], row)


async def _insert_metric(tx: Connection, definition: MetricDefinition, now: datetime) -> None:
    row = {
        "name": definition.name,
        "aggregation": definition.aggregation,
        "unit": definition.unit,
        "now": now,
    }
    await tx.execute(_queries["insert_metric"], row)


async def _edit_metric(tx: Connection, edits: Edits[MetricDefinition], now: datetime) -> None:
    for id in edits.superseded:
        await tx.execute(_queries["supersede_metric_version"], {"id": id, "now": now})
    for version in edits.bounded:
        await tx.execute(_queries["bound_metric_version"], {"id": version.id, "end": _bound(version.end)})
    for version in edits.inserted:
        document = Jsonb(definition_to_json(version.content))
        row = {"metric": version.content.name, "definition": document, **_interval(version), "now": now}
        await tx.execute(_queries["insert_metric_version"], row)


async def _save_plan(tx: Connection, plan: PlanRow, now: datetime) -> None:
    period = {"unit": str(plan.period.unit), "every": plan.period.every}
    version = {"family": family_of(plan.name), "version": version_of(plan.name)}
    row = {"name": plan.name, "currency": plan.currency, **version, **period, "now": now}
    await tx.execute(_queries["save_plan"], row)


def _documents(edits: Edits[C], to_json: Callable[[C], dict[str, Any]]) -> Edits[dict[str, Any]]:
    """The edits of what is stored as JSON; terms end where the next begin, so that nothing is bounded."""
    inserted = tuple(Version(to_json(version.content), version.start, version.end) for version in edits.inserted)
    return Edits(edits.superseded, (), inserted)


async def _edit_terms(tx: Connection, of: str, owner: str, edits: Edits[dict[str, Any]], now: datetime) -> None:
    for id in edits.superseded:
        await tx.execute(_queries[f"supersede_{of}_terms"], {"id": id, "now": now})
    for version in edits.inserted:
        row = {"owner": owner, "terms": Jsonb(version.content), "start": _bound(version.start), "now": now}
        await tx.execute(_queries[f"insert_{of}_terms"], row)


async def _save_team(tx: Connection, team: TeamRow, now: datetime) -> None:
    row = {"id": team.id, "name": team.name, "time_zone": team.time_zone, "now": now}
    saved = await tx.execute(_queries["insert_team" if team.new else "update_team"], row)
    if not saved.rowcount:
        raise Conflict(f"team {team.id!r} was just made by somebody else; apply the file again")
    if team.currency:
        await tx.execute(_queries["bill_team_in"], {"id": team.id, "currency": team.currency})


async def _edit_price(tx: Connection, key: PriceKey, edits: Edits[Price], now: datetime) -> None:
    for id in edits.superseded:
        await tx.execute(_queries["supersede_price"], {"id": id, "now": now})
    for version in edits.bounded:
        await tx.execute(_queries["bound_price"], {"id": version.id, "end": _bound(version.end), "now": now})
    for version in edits.inserted:
        row = {**key._asdict(), **_price_columns(version.content), **_interval(version), "now": now}
        await tx.execute(_queries["insert_price"], row)


def _price_columns(price: Price) -> dict[str, Any]:
    return {
        "metric": price.metric,
        "model": price.model,
        "currency": price.currency,
        "parameters": Jsonb(price.to_parameters()),
        "starts": [tier.start for tier in price.tiers],
        "ends": [tier.end for tier in price.tiers],
        "unit_prices": [tier.unit_price for tier in price.tiers],
        "flat_fees": [tier.flat_fee for tier in price.tiers],
    }


async def _edit_subscriptions(tx: Connection, edits: SubscriptionEdits, now: datetime) -> None:
    for id in edits.deleted:
        await tx.execute(_queries["delete_subscription"], {"id": id})
    for ended in edits.ended:
        await tx.execute(_queries["end_subscription"], {"id": ended.id, "end": ended.end})
    for new in edits.inserted:
        terms = {"plan": new.plan, "anchor": str(new.anchor), "start": new.start, "end": new.end}
        row = {"team_id": edits.team_id, **terms, "now": now}
        await tx.execute(_queries["insert_subscription"], row)


def _bound(moment: datetime) -> datetime | None:
    return None if moment in (BEGINNING, END) else moment


def _interval(version: Version[C]) -> dict[str, datetime | None]:
    return {"start": _bound(version.start), "end": _bound(version.end)}
