"""How events look in an answer: numbers as exact decimal text, metadata as it was stored."""

from decimal import Decimal
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict
from starlette.responses import Response

from tallystick.core.money import plain
from tallystick.http.answers import Instant, Number, rfc3339
from tallystick.http.paging import Page
from tallystick.metering.models import Correction, UsageEvent
from tallystick.metering.tracing import Counted, Trace

EXAMPLE_EVENT = {
    "team_id": "acme",
    "event_name": "api_call",
    "quantity": "1",
    "unit": "call",
    "timestamp": "2026-03-15T12:00:00Z",
    "metadata": {"endpoint": "/v1/search", "region": "eu"},
    "idempotency_key": "req_7Q2M4KX0TB",
}


RECORDED_EVENT: JsonDict = {
    "id": "ea82408f-7bb5-1ab9-982e-b1de0cbf264a",
    "team_id": "acme",
    "user_id": None,
    "event_type": None,
    "event_name": "api_call",
    "quantity": "1",
    "unit": "call",
    "metadata": {"endpoint": "/v1/search", "region": "eu"},
    "idempotency_key": "req_7Q2M4KX0TB",
    "occurred_at": "2026-03-15T12:00:00Z",
    "recorded_at": "2026-03-15T12:00:00.241773Z",
    "amends": None,
    "correction": None,
    "replacement_id": None,
}


class EventAnswer(BaseModel):
    """A usage event as it was recorded, and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECORDED_EVENT]})

    id: str = Field(description="The event's identity: the same for the same team and idempotency key.")
    team_id: str
    user_id: str | None
    event_type: str | None
    event_name: str
    quantity: Number
    unit: str | None
    metadata: dict[str, Any] | None
    idempotency_key: str
    occurred_at: Instant = Field(description="When it happened; decides the billing period.")
    recorded_at: Instant = Field(description="When it was stored.")
    amends: str | None = Field(description="The original event in whose place this one stands.")
    correction: str | None = Field(description="`void` or `amend` where it no longer counts, else null.")
    replacement_id: str | None = Field(description="The event that stands in its place, if it was amended.")


class CorrectionAnswer(BaseModel):
    """That an event no longer counts, since when, and what stands in its place."""

    event_id: str
    kind: str = Field(examples=["amend"])
    replacement_id: str | None
    reason: str
    actor: str = Field(description="The key that did it.", examples=["key:7Q2M4KX0TB"])
    recorded_at: Instant
    replacement: EventAnswer | None = None


class EventPageAnswer(Page[EventAnswer]):
    """A page of the event log."""

    looked_to: Instant | None = Field(
        default=None,
        description="Looking for what has no index ended at this instant, by the clock of the sort; the next page "
        "goes on there. Null: the page is full, or the last one.",
    )


class BucketAnswer(BaseModel):
    """The roll-up that an event is in."""

    start: Instant
    end: Instant
    events: int = Field(description="How many events are in it.")
    total: Number | None = Field(description="The sum of their values; null where there is none.")


class CountedAnswer(BaseModel):
    """That a metric counts the event, and as what."""

    metric: str = Field(examples=["api_calls"])
    dimensions: dict[str, str | None] = Field(examples=[{"region": "eu"}])
    value: str | None = Field(description="What it is worth to the metric; null: no value was found.", examples=["1"])
    rollup: BucketAnswer | None = Field(description="Null: not rolled up yet; usage reads the event itself.")


class MomentAnswer(BaseModel):
    """Something that happened to the event."""

    at: Instant
    what: str = Field(examples=["rolled up"])


class TraceAnswer(BaseModel):
    """Everything known about one event."""

    event: EventAnswer
    correction: CorrectionAnswer | None
    counted: list[CountedAnswer] = Field(description="The metrics that count it; none where it no longer counts.")
    timeline: list[MomentAnswer]


class UnvaluedAnswer(BaseModel):
    """How many events of a team a metric counts but finds no value in."""

    model_config = ConfigDict(from_attributes=True)

    metric: str = Field(examples=["bandwidth"])
    team_id: str
    unvalued: int
    events: int = Field(description="How many of the team's events the metric counts in all.")


class UnvaluedPage(BaseModel):
    """Which metrics find no value in events of which teams, the most first."""

    data: list[UnvaluedAnswer]


class UnvaluedEventAnswer(BaseModel):
    """An event that a metric counts but finds no value in."""

    problem: str = Field(description="Why.", examples=["metadata has no bytes"])
    event: EventAnswer


class Encoded(Response):
    """A JSON answer with metadata passed through as it was stored, digit for digit."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The body."""
        return msgspec.json.encode(content)


def event_view(event: UsageEvent) -> dict[str, Any]:
    """The event as `EventAnswer` describes it."""
    return {
        "id": str(event.id),
        "team_id": event.team_id,
        "user_id": event.user_id,
        "event_type": event.event_type,
        "event_name": event.event_name,
        "quantity": plain(event.quantity),
        "unit": event.unit,
        "metadata": None if event.metadata is None else msgspec.Raw(event.metadata.encode()),
        "idempotency_key": event.idempotency_key,
        "occurred_at": rfc3339(event.occurred_at),
        "recorded_at": rfc3339(event.recorded_at),
        "amends": _text(event.amends),
        "correction": event.correction,
        "replacement_id": _text(event.replacement_id),
    }


def correction_view(correction: Correction, replacement: UsageEvent | None) -> dict[str, Any]:
    """The correction as `CorrectionAnswer` describes it."""
    return {
        "event_id": str(correction.event_id),
        "kind": correction.kind,
        "replacement_id": _text(correction.replacement_id),
        "reason": correction.reason,
        "actor": correction.actor,
        "recorded_at": rfc3339(correction.recorded_at),
        "replacement": event_view(replacement) if replacement else None,
    }


def trace_view(trace: Trace) -> dict[str, Any]:
    """The trace as `TraceAnswer` describes it."""
    return {
        "event": event_view(trace.event),
        "correction": correction_view(trace.correction, None) if trace.correction else None,
        "counted": [_counted_view(each) for each in trace.counted],
        "timeline": [{"at": rfc3339(moment.at), "what": moment.what} for moment in trace.timeline],
    }


def _counted_view(counted: Counted) -> dict[str, Any]:
    bucket, value = counted.bucket, counted.value
    return {
        "metric": counted.metric,
        "dimensions": counted.dimensions,
        "value": plain(value) if isinstance(value, Decimal) else value,
        "rollup": None
        if bucket is None
        else {
            "start": rfc3339(bucket.start),
            "end": rfc3339(bucket.end),
            "events": counted.bucket_events,
            "total": None if counted.bucket_total is None else plain(counted.bucket_total),
        },
    }


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
