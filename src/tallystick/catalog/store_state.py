"""Reads what is stored of the catalogue, as the plan of changes needs it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, TypeVar

from tallystick.catalog.documents import team_terms_from_json, terms_from_json
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.catalog.price_book import price_from_row
from tallystick.catalog.state import PriceKey, State, StoredMetric, StoredPlan, StoredTeam
from tallystick.catalog.store import billing_rules, defaults
from tallystick.catalog.subscriptions import Subscription
from tallystick.catalog.terms import TeamTerms, Terms
from tallystick.catalog.timeline import BEGINNING, END, Version
from tallystick.metering.definitions import definition_from_json
from tallystick.pricing import Price
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

_queries = Queries.load(__package__ or "")

C = TypeVar("C")


async def _rows(tx: Connection, name: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    return await (await tx.execute(_queries[name], parameters)).fetchall()


async def read_state(tx: Connection, team_ids: Collection[str], now: datetime) -> State:
    """Everything in force, and the teams of these ids that exist."""
    return State(
        metrics=await _metrics(tx),
        plans=await _plans(tx, now),
        prices=await _prices(tx),
        teams=await _teams(tx, list(team_ids)),
        defaults=await defaults(tx),
        billing=await billing_rules(tx),
    )


async def _metrics(tx: Connection) -> dict[str, StoredMetric]:
    metrics = {row[0]: StoredMetric(row[1], row[2], []) for row in await _rows(tx, "metrics")}
    for id, stored, start, end in await _rows(tx, "metric_versions"):
        definition = definition_from_json(stored)
        metrics[definition.name].versions.append(_version(definition, start, end, id))
    return metrics


async def _plans(tx: Connection, now: datetime) -> dict[str, StoredPlan]:
    terms: dict[str, list[tuple[datetime | None, int, Terms]]] = defaultdict(list)
    for id, plan, start, document in await _rows(tx, "plan_terms"):
        terms[plan].append((start, id, terms_from_json(document)))
    return {
        name: StoredPlan(
            currency, BillingPeriod(PeriodUnit(unit), every), archived, subscribed, running, _successive(terms[name])
        )
        for name, currency, unit, every, archived, subscribed, running in await _rows(tx, "plans", {"now": now})
    }


async def _prices(tx: Connection) -> dict[PriceKey, list[Version[Price]]]:
    prices: dict[PriceKey, list[Version[Price]]] = defaultdict(list)
    for id, plan, team_id, name, metric, model, currency, parameters, start, end in await _rows(tx, "prices"):
        price = price_from_row(metric, model, currency, parameters)
        prices[PriceKey(plan, team_id, name)].append(_version(price, start, end, id))
    return dict(prices)


async def _teams(tx: Connection, ids: list[str]) -> dict[str, StoredTeam]:
    terms: dict[str, list[tuple[datetime | None, int, TeamTerms]]] = defaultdict(list)
    for id, team_id, start, document in await _rows(tx, "team_terms", {"ids": ids}):
        terms[team_id].append((start, id, team_terms_from_json(document)))
    teams = {
        team_id: StoredTeam(name, time_zone, [], currency, settled, _successive(terms[team_id]))
        for team_id, name, time_zone, currency, settled in await _rows(tx, "teams", {"ids": ids})
    }
    for id, team_id, plan, anchor, start, end in await _rows(tx, "subscriptions", {"ids": ids}):
        teams[team_id].subscriptions.append(Subscription(plan, Anchor(anchor), start, end, id))
    return teams


def _successive(found: list[tuple[datetime | None, int, C]]) -> list[Version[C]]:
    """Versions of which each holds until the next one begins."""
    ends = chain((start for start, _, _ in found[1:]), (None,))
    return [_version(content, start, end, id) for (start, id, content), end in zip(found, ends, strict=False)]


def _version(content: C, start: datetime | None, end: datetime | None, id: int) -> Version[C]:
    return Version(content, start or BEGINNING, end or END, id)
