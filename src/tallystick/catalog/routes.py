"""`GET /api/catalogue`: what is counted and what it costs, with every version and when it holds.

Read-only: the billing file is what changes it. Prices agreed with single teams are on their bills, not here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from tallystick.catalog.describe import describe_metric, describe_price, describe_terms
from tallystick.catalog.state import PriceKey, State
from tallystick.catalog.store_state import read_state
from tallystick.catalog.timeline import BEGINNING, END, Version
from tallystick.core.clock import Clock
from tallystick.http.access import Reader
from tallystick.http.answers import Instant
from tallystick.pricing import Price
from tallystick.storage.database import Database

router = APIRouter(prefix="/api/catalogue", tags=["billing"])

C = TypeVar("C")
Terms = Mapping[str, str]


class VersionAnswer(BaseModel):
    """What holds from one instant up to another."""

    effective_from: Instant | None = Field(description="Null: from the beginning.")
    effective_to: Instant | None = Field(description="Exclusive; null: until another is applied.")
    in_force: bool
    terms: dict[str, str] = Field(
        description="As the billing file writes them, without those at their default.",
        examples=[{"model": "per_unit", "currency": "USD", "unit_price": "0.0008"}],
    )


class MetricEntry(BaseModel):
    """A metric with its history."""

    name: str = Field(examples=["api_calls"])
    aggregation: str = Field(examples=["count"])
    unit: str = Field(examples=["call"])
    dimensions: list[str] = Field(description="Of the version in force.", examples=[["region"]])
    versions: list[VersionAnswer] = Field(description="The oldest first.")


class PriceEntry(BaseModel):
    """A price of a plan with its history."""

    name: str = Field(examples=["api_calls"])
    metric: str | None = Field(description="Null: a fee.", examples=["api_calls"])
    versions: list[VersionAnswer] = Field(description="The oldest first.")


class PlanEntry(BaseModel):
    """A plan, its terms and its prices."""

    name: str = Field(examples=["standard"])
    currency: str = Field(examples=["USD"])
    period: str = Field(description="How long a billing period is.", examples=["month"])
    archived: bool = Field(description="The billing file does not name it any more.")
    subscribed: bool = Field(description="A team is on it, or will be.")
    terms: list[VersionAnswer] = Field(description="The oldest first.")
    prices: list[PriceEntry]


class CatalogueAnswer(BaseModel):
    """Metrics and plans, by name."""

    at: Instant
    metrics: list[MetricEntry]
    plans: list[PlanEntry]


async def stored(request: Request) -> tuple[State, datetime]:
    """What is stored of the catalogue, and now."""
    database, clock = cast(Database, request.app.state.database), cast(Clock, request.app.state.clock)
    now = clock.now()
    async with database.snapshot() as tx:
        return await read_state(tx, (), now), now


@router.get("")
async def get_catalogue(found: Annotated[tuple[State, datetime], Depends(stored)], who: Reader) -> CatalogueAnswer:
    """Metrics, plans and prices with every version of them that holds, held or will. Scope: read, every team.

    Versions that were corrected are left out, and so are prices that were agreed with a single team.
    """
    who.require_every_team()
    state, now = found
    return CatalogueAnswer(at=now, metrics=_metrics(state, now), plans=_plans(state, now))


def _metrics(state: State, now: datetime) -> list[MetricEntry]:
    return [
        MetricEntry(
            name=name,
            aggregation=str(metric.aggregation),
            unit=metric.unit,
            dimensions=[each for version in _latest(metric.versions, now) for each in version.content.dimensions],
            versions=_versions(metric.versions, now, describe_metric),
        )
        for name, metric in sorted(state.metrics.items())
    ]


def _plans(state: State, now: datetime) -> list[PlanEntry]:
    return [
        PlanEntry(
            name=name,
            currency=plan.currency,
            period=str(plan.period),
            archived=plan.archived,
            subscribed=plan.running,
            terms=_versions(plan.terms, now, describe_terms),
            prices=[_price(key, versions, now) for key, versions in _prices_of(state, name)],
        )
        for name, plan in sorted(state.plans.items(), key=lambda item: (item[1].archived, item[0]))
    ]


def _prices_of(state: State, plan: str) -> list[tuple[PriceKey, list[Version[Price]]]]:
    found = ((key, versions) for key, versions in state.prices.items() if key.plan == plan)
    return sorted(found, key=lambda each: each[0].name)


def _price(key: PriceKey, versions: Sequence[Version[Price]], now: datetime) -> PriceEntry:
    return PriceEntry(
        name=key.name, metric=versions[-1].content.metric, versions=_versions(versions, now, describe_price)
    )


def _versions(versions: Sequence[Version[C]], now: datetime, describe: Callable[[C], Terms]) -> list[VersionAnswer]:
    return [
        VersionAnswer(
            effective_from=None if each.start == BEGINNING else each.start,
            effective_to=None if each.end == END else each.end,
            in_force=each.start <= now < each.end,
            terms=dict(describe(each.content)),
        )
        for each in sorted(versions, key=lambda each: each.start)
    ]


def _latest(versions: Sequence[Version[C]], now: datetime) -> Sequence[Version[C]]:
    """The version in force; else the last one."""
    return [each for each in versions if each.start <= now < each.end] or versions[-1:]
