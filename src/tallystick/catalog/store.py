"""Runs the catalogue's statements: what is in force, and what a plan of changes writes."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from psycopg.types.json import Jsonb

from tallystick.catalog.loading import defaults_of
from tallystick.catalog.models import Anchor, BillingPeriod, Defaults, PeriodUnit, PriceVersion
from tallystick.catalog.state import (
    PlanRow,
    PriceKey,
    State,
    StoredMetric,
    StoredPlan,
    StoredTeam,
    SubscriptionEdits,
    Writes,
)
from tallystick.catalog.subscriptions import Subscription
from tallystick.catalog.timeline import BEGINNING, END, Edits, Version
from tallystick.core.clock import Interval
from tallystick.metering.definitions import definition_from_json, definition_to_json
from tallystick.metering.models import MetricDefinition
from tallystick.pricing import Price
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

_queries = Queries.load(__package__ or "")

Row = tuple[Any, ...]
C = TypeVar("C")


async def _rows(tx: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    return await (await tx.execute(_queries[name], parameters)).fetchall()


async def price_versions(tx: Connection, plan: str, interval: Interval) -> list[PriceVersion]:
    """The prices of the plan that hold at some time of the interval, by metric and then by time."""
    rows = await _rows(tx, "price_versions", {"plan": plan, "start": interval.start, "end": interval.end})
    return [PriceVersion(row[0], _price(row), row[6], row[7]) for row in rows]


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


async def read_state(tx: Connection, team_ids: Collection[str], now: datetime) -> State:
    """Everything in force, and the teams of these ids that exist."""
    return State(
        metrics=await _metrics(tx),
        plans=await _plans(tx, now),
        prices=await _prices(tx),
        teams=await _teams(tx, list(team_ids)),
        defaults=await defaults(tx),
    )


async def _metrics(tx: Connection) -> dict[str, StoredMetric]:
    metrics = {row[0]: StoredMetric(row[1], row[2], []) for row in await _rows(tx, "metrics")}
    for id, stored, start, end in await _rows(tx, "metric_versions"):
        definition = definition_from_json(stored)
        metrics[definition.name].versions.append(_version(definition, start, end, id))
    return metrics


async def _plans(tx: Connection, now: datetime) -> dict[str, StoredPlan]:
    return {
        name: StoredPlan(currency, BillingPeriod(PeriodUnit(unit), every), archived, subscribed, running)
        for name, currency, unit, every, archived, subscribed, running in await _rows(tx, "plans", {"now": now})
    }


async def _prices(tx: Connection) -> dict[PriceKey, list[Version[Price]]]:
    prices: dict[PriceKey, list[Version[Price]]] = defaultdict(list)
    for row in await _rows(tx, "prices"):
        prices[PriceKey(row[1], row[2])].append(_version(_price(row), row[6], row[7], row[0]))
    return dict(prices)


async def _teams(tx: Connection, ids: list[str]) -> dict[str, StoredTeam]:
    teams = {row[0]: StoredTeam(row[1], row[2], []) for row in await _rows(tx, "teams", {"ids": ids})}
    for id, team_id, plan, anchor, start, end in await _rows(tx, "subscriptions", {"ids": ids}):
        teams[team_id].subscriptions.append(Subscription(plan, Anchor(anchor), start, end, id))
    return teams


def _version(content: C, start: datetime | None, end: datetime | None, id: int) -> Version[C]:
    return Version(content, start or BEGINNING, end or END, id)


def _price(row: Row) -> Price:
    metric, model, currency, parameters = row[2:6]
    return Price.from_parameters(metric, model, currency, parameters)


async def write(tx: Connection, writes: Writes, now: datetime) -> None:
    """Write what a plan of changes comes to, as of `now`."""
    for definition in writes.metrics:
        await _insert_metric(tx, definition, now)
    for metric_edits in writes.metric_versions:
        await _edit_metric(tx, metric_edits, now)
    for plan in writes.plans:
        await _save_plan(tx, plan, now)
    for key, price_edits in writes.prices:
        await _edit_price(tx, key, price_edits, now)
    for name in writes.archived_plans:
        await tx.execute(_queries["archive_plan"], {"name": name, "now": now})
    for team in writes.teams:
        await tx.execute(_queries["save_team"], {**team._asdict(), "now": now})
    for subscriptions in writes.subscriptions:
        await _edit_subscriptions(tx, subscriptions, now)


async def keep_source(tx: Connection, source: str, now: datetime) -> None:
    """Keep the text of the file that is being applied."""
    await tx.execute(_queries["insert_revision"], {"source": source, "now": now})


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
    row = {"name": plan.name, "currency": plan.currency, **period, "now": now}
    await tx.execute(_queries["save_plan"], row)


async def _edit_price(tx: Connection, key: PriceKey, edits: Edits[Price], now: datetime) -> None:
    for id in edits.superseded:
        await tx.execute(_queries["supersede_price"], {"id": id, "now": now})
    for version in edits.bounded:
        await tx.execute(_queries["bound_price"], {"id": version.id, "end": _bound(version.end)})
    for version in edits.inserted:
        row = {**key._asdict(), **_price_columns(version.content), **_interval(version), "now": now}
        await tx.execute(_queries["insert_price"], row)


def _price_columns(price: Price) -> dict[str, Any]:
    return {
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
