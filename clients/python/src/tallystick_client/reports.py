"""What reports say about a team: its usage, what it costs, how its alerts stand.

Quantities and amounts are exact `Decimal`s, instants have the offset of the team's time zone, intervals include their
start and exclude their end.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick_client.reading import Members, instant, maybe_instant, maybe_number, number


class Window(NamedTuple):
    """The usage of one step of a history."""

    start: datetime
    end: datetime
    usage: Decimal | None
    """None where nothing has a value: an average of no events."""
    events: int
    unvalued: int


class Series(NamedTuple):
    """The usage of every window, for one set of dimension values; without `group_by` there is one."""

    dimensions: Mapping[str, str | None]
    windows: tuple[Window, ...]


class MetricUsage(NamedTuple):
    """A team's usage of one metric."""

    metric: str
    unit: str
    aggregation: str
    usage: Decimal | None
    """In the billing period so far; None where nothing has a value."""
    events: int
    unvalued: int
    """Events that matched, but whose value could not be read. They are in no usage."""
    history: tuple[Series, ...]


class Usage(NamedTuple):
    """What a team used in a billing period, and its history."""

    team: str
    as_of: datetime
    start: datetime
    """Of the billing period, as `end`; of the calendar month for a team without a subscription."""
    end: datetime
    metrics: Mapping[str, MetricUsage]


class CostLine(NamedTuple):
    """One line of a bill: the usage of a metric, a fee, a discount."""

    key: str
    kind: str
    name: str
    metric: str | None
    quantity: Decimal
    unit: str
    start: datetime
    end: datetime
    amount: Decimal | None
    """Exact, before rounding; None without a price."""
    total: Decimal | None
    """Rounded once to the currency; None without a price."""
    reason: str | None
    """Why nothing is charged, where nothing is."""


class MetricCost(NamedTuple):
    """What the usage of one metric costs."""

    metric: str
    amount: Decimal | None
    """Exact; None without a price."""
    total: Decimal | None
    projected: Decimal | None
    """Of the whole period, at the pace so far."""
    reason: str | None
    """Why there is no cost, where there is none."""
    lines: tuple[CostLine, ...]


class Costs(NamedTuple):
    """What a team's billing period costs, before credits, tax and adjustments of earlier periods."""

    team: str
    plan: str | None
    as_of: datetime
    start: datetime
    end: datetime
    currency: str | None
    total: Decimal | None
    """None without a subscription."""
    projected_total: Decimal | None
    """What it comes to at the pace so far."""
    metrics: Mapping[str, MetricCost]
    others: tuple[CostLine, ...]
    """Lines about no metric: fees, discounts, a minimum. They are in the total."""


class StepStatus(NamedTuple):
    """How one step of an alert stands."""

    limit: Decimal
    percent: Decimal | None
    type: str
    state: str
    changed_at: datetime | None


class AlertStatus(NamedTuple):
    """How an alert stands with a team."""

    alert_id: int
    name: str
    kind: str
    state: str
    """`ok`, `warning`, `exceeded` or `resolved`: of the step that stands worst."""
    value: Decimal | None
    """What it measures now; None: there is nothing to compare."""
    unit: str
    threshold: Decimal
    start: datetime
    end: datetime | None
    steps: tuple[StepStatus, ...]


def usage_of(answer: Members) -> Usage:
    """The usage that a report holds."""
    return Usage(
        team=answer["team_id"],
        as_of=instant(answer["as_of"]),
        start=instant(answer["current_period"]["start"]),
        end=instant(answer["current_period"]["end"]),
        metrics={each["metric"]: _metric_usage(each) for each in answer["metrics"]},
    )


def _metric_usage(metric: Members) -> MetricUsage:
    now = metric["current_period"]
    return MetricUsage(
        metric=metric["metric"],
        unit=metric["unit"],
        aggregation=metric["aggregation"],
        usage=maybe_number(now["usage"]),
        events=now["events"],
        unvalued=now["unvalued"],
        history=tuple(Series(each["dimensions"], _windows(each["windows"])) for each in metric["history"]),
    )


def _windows(windows: list[Members]) -> tuple[Window, ...]:
    return tuple(
        Window(
            instant(each["start"]),
            instant(each["end"]),
            maybe_number(each["usage"]),
            each["events"],
            each["unvalued"],
        )
        for each in windows
    )


def costs_of(answer: Members) -> Costs:
    """The cost that a report holds."""
    period = answer["current_period"]
    return Costs(
        team=answer["team_id"],
        plan=answer["plan"],
        as_of=instant(answer["as_of"]),
        start=instant(period["start"]),
        end=instant(period["end"]),
        currency=period["currency"],
        total=maybe_number(period["total"]),
        projected_total=maybe_number(period["projected_total"]),
        metrics={each["metric"]: _metric_cost(each) for each in answer["metrics"]},
        others=tuple(_line(each) for each in answer["others"]),
    )


def _metric_cost(metric: Members) -> MetricCost:
    now = metric["current_period"]
    cost, projection = now["cost"] or {}, now["projection"] or {}
    return MetricCost(
        metric=metric["metric"],
        amount=maybe_number(cost.get("amount")),
        total=maybe_number(cost.get("total")),
        projected=maybe_number(projection.get("cost")),
        reason=now["reason"],
        lines=tuple(_line(each) for each in cost.get("lines", ())),
    )


def _line(line: Members) -> CostLine:
    return CostLine(
        key=line["key"],
        kind=line["kind"],
        name=line["name"],
        metric=line["metric"],
        quantity=number(line["quantity"]),
        unit=line["unit"],
        start=instant(line["start"]),
        end=instant(line["end"]),
        amount=maybe_number(line["amount"]),
        total=maybe_number(line["total"]),
        reason=line["reason"],
    )


def alerts_of(answer: Members) -> tuple[AlertStatus, ...]:
    """How the alerts of an answer stand."""
    return tuple(
        AlertStatus(
            alert_id=each["alert_id"],
            name=each["name"],
            kind=each["kind"],
            state=each["state"],
            value=maybe_number(each["value"]),
            unit=each["unit"],
            threshold=number(each["threshold_value"]),
            start=instant(each["period_start"]),
            end=maybe_instant(each["period_end"]),
            steps=tuple(_step(status) for status in each["steps"]),
        )
        for each in answer["data"]
    )


def _step(status: Members) -> StepStatus:
    step = status["step"]
    return StepStatus(
        limit=number(step["limit"]),
        percent=maybe_number(step["percent"]),
        type=step["type"],
        state=status["state"],
        changed_at=maybe_instant(status["changed_at"]),
    )
