"""Meters, their events by v1 and v2, cancelled events, and summaries."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from tallystick.integrations.stripe.fake.assumptions import SESSION, STREAM_BATCH
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.faults import Fault
from tallystick.integrations.stripe.fake.refusals import Refused, missing, wrong
from tallystick.integrations.stripe.fake.schema import Violation
from tallystick.integrations.stripe.fake.usage import DUPLICATE, WINDOW_SECONDS, Incoming, Usage
from tallystick.integrations.stripe.fake.world import PAGING, Call, Served, World, matching, newest_first, page, serves

_NOTHING_AT_ONCE: Final[frozenset[str]] = frozenset()
_V2_CODES = {
    "meter_event_invalid_value": "payload_invalid_value",
    "meter_event_value_too_many_digits": "payload_invalid_value",
    "meter_event_no_customer_defined": "payload_no_customer_defined",
}
MESSAGES = {
    "archived_meter": "The meter for this event name is inactive.",
    "meter_event_customer_not_found": "The customer of the event was not found.",
    "meter_event_invalid_value": "The event's value is not a number.",
    "meter_event_no_customer_defined": "The event's payload names no customer.",
    "meter_event_value_too_many_digits": "The event's value has more than 15 significant digits.",
    "no_meter": "No active meter found with this event name.",
    "timestamp_in_future": "The event timestamp is too far in the future.",
}


class StreamEvent(msgspec.Struct, forbid_unknown_fields=True):
    """An event of the v2 stream: what the description says, for a reader that is fast enough."""

    event_name: str
    payload: dict[str, str]
    identifier: str | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET


class StreamBody(msgspec.Struct, forbid_unknown_fields=True):
    """A request to the v2 stream."""

    events: list[StreamEvent]


Batch: TypeAlias = list[tuple[StreamEvent, float | None]]
"""Events of the stream, each with its instant."""


class Meters:
    """What measures usage, and the usage."""

    def __init__(self, world: World, usage: Usage) -> None:
        self._world = world
        self._usage = usage
        self.fault: Fault | None = None
        """What befalls the events of the request under way."""
        self._sessions: dict[str, float] = {}
        self._stream = msgspec.json.Decoder(StreamBody)

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        meter = "/v1/billing/meters/{id}"
        return {
            "POST /v1/billing/meters": serves(self._create, " ".join(_CREATE)),
            "GET /v1/billing/meters": serves(self._list, f"status {PAGING}"),
            f"GET {meter}": serves(lambda call: self._world.meters.need(call.ids["id"])),
            f"POST {meter}": serves(self._rename, "display_name"),
            f"POST {meter}/deactivate": serves(lambda call: self._switch(call, "inactive")),
            f"POST {meter}/reactivate": serves(lambda call: self._switch(call, "active")),
            f"GET {meter}/event_summaries": serves(
                self._summaries, f"customer start_time end_time value_grouping_window {PAGING}"
            ),
            "POST /v1/billing/meter_events": serves(self._event, "event_name payload identifier timestamp"),
            "POST /v1/billing/meter_event_adjustments": serves(self._cancel, "event_name type cancel"),
            "POST /v2/billing/meter_events": serves(self._event_v2, "event_name payload identifier timestamp"),
            "POST /v2/billing/meter_event_adjustments": serves(self._cancel_v2, "event_name type cancel"),
            "POST /v2/billing/meter_event_session": serves(self._session),
        }

    def lane(self, params: Mapping[str, Any]) -> tuple[str, str] | None:
        """The meter and customer of an event's request, of which Stripe takes one request at a time."""
        meter = self._usage.meter_named(str(params.get("event_name")))
        if meter is None:
            return None
        return meter["id"], params["payload"].get(meter["customer_mapping"]["event_payload_key"], "")

    def open_stream(self, token: str, body: bytes) -> Batch:
        """Read a batch of events of the v2 stream.

        Raises:
            Refused: the token is not, or no longer, good.
            Violation: the body is not as described, or has too many events.
        """
        if (expires := self._sessions.get(token)) is None or expires <= self._world.clock.seconds:
            raise Refused(
                401, "Session expired.", code="billing_meter_event_session_expired", kind="temporary_session_expired"
            )
        try:
            events = self._stream.decode(body).events
            batch = [(event, _instant(event.timestamp or None)) for event in events]
        except (ValueError, msgspec.DecodeError) as error:
            raise Violation("events", None, str(error)) from None
        if len(batch) > STREAM_BATCH:
            raise Violation("events", None, f"At most {STREAM_BATCH} events fit a request")
        return batch

    def stream(self, batch: Batch, key: str | None) -> Object:
        """Take a batch of events; whatever is wrong with one of them comes out later."""
        for event, stamp in batch:
            self._streamed(event, stamp, key)
        return {}

    def _streamed(self, event: StreamEvent, stamp: float | None, key: str | None) -> None:
        identifier = event.identifier or self._world.new_id("mevt")
        reference = (key if self._world.assumed.a33_report_names_key else None) or identifier
        now = self._world.clock.seconds
        incoming = Incoming(event.event_name, event.payload, identifier, now if stamp is None else stamp, reference)
        code = self._usage.take(incoming, at_once=_NOTHING_AT_ONCE, fault=self.fault)
        if code and self._world.assumed.a04_stream_reports_duplicates:
            meter = self._usage.meter_named(event.event_name)
            self._usage.report(meter["id"] if meter else None, code, reference)

    def _create(self, call: Call) -> Object:
        params = call.params
        taken = self._world.assumed.a20_archived_meter_keeps_event_name
        if (other := self._usage.meter_named(params["event_name"])) and (taken or other["status"] == "active"):
            raise wrong(f"A meter already exists with event name {params['event_name']}.", "event_name")
        now = self._world.now
        meter: Object = {
            "id": self._world.new_id("mtr"),
            "object": "billing.meter",
            "created": now,
            "updated": now,
            "livemode": False,
            "status": "active",
            "status_transitions": {"deactivated_at": None},
            **{name: params.get(name) or default for name, default in _CREATE.items()},
        }
        self._world.meters[meter["id"]] = meter
        self._usage.register(meter)
        self._world.announce("billing.meter.created", meter)
        return meter

    def _list(self, call: Call) -> Object:
        found = matching(newest_first(self._world.meters), status=call.params.get("status"))
        return page(call, found, "/v1/billing/meters")

    def _rename(self, call: Call) -> Object:
        meter = self._world.meters.need(call.ids["id"])
        meter.update(call.params, updated=self._world.now)
        self._world.announce("billing.meter.updated", meter)
        return meter

    def _switch(self, call: Call, status: str) -> Object:
        meter = self._world.meters.need(call.ids["id"])
        if meter["status"] == status:
            raise wrong(f"The meter is {status} already.")
        deactivated = self._world.now if status == "inactive" else None
        meter.update(status=status, updated=self._world.now, status_transitions={"deactivated_at": deactivated})
        self._world.announce(f"billing.meter.{'deactivated' if deactivated else 'reactivated'}", meter)
        return meter

    def _summaries(self, call: Call) -> Object:
        meter = self._world.meters.need(call.ids["id"])
        if call.params["customer"] not in self._world.customers:
            raise missing("customer", call.params["customer"], "customer")
        start, end = call.params["start_time"], call.params["end_time"]
        step = WINDOW_SECONDS.get(call.params.get("value_grouping_window", ""))
        for name, bound in (("start_time", start), ("end_time", end)):
            if bound % (step or 60):
                raise wrong(f"{name} must be aligned with {step or 60} seconds", name)
        if start >= end:
            raise wrong("end_time must be after start_time", "end_time")
        rows = list(self._rows(meter, call.params["customer"], range(start, end, step or end - start)))
        if self._world.assumed.a15_newest_window_first:
            rows.reverse()
        return page(call, rows, f"/v1/billing/meters/{meter['id']}/event_summaries")

    def _rows(self, meter: Object, customer: str, windows: range) -> Iterator[Object]:
        values = self._usage.windows(meter, customer, windows.start, windows.stop, windows.step)
        for opens in windows:
            if opens in values or self._world.assumed.a14_empty_windows_are_rows:
                yield {
                    "id": f"mtrusg_{meter['id'][4:]}{customer[4:]}{opens}",
                    "object": "billing.meter_event_summary",
                    "aggregated_value": values.get(opens, 0),
                    "start_time": opens,
                    "end_time": opens + windows.step,
                    "livemode": False,
                    "meter": meter["id"],
                }

    def _event(self, call: Call) -> Object:
        stamp = call.params.get("timestamp", self._world.now)
        identifier = self._take(call, stamp)
        return {
            "object": "billing.meter_event",
            "created": self._world.now,
            "event_name": call.params["event_name"],
            "identifier": identifier,
            "livemode": False,
            "payload": call.params["payload"],
            "timestamp": stamp,
        }

    def _event_v2(self, call: Call) -> Object:
        stamp = _instant(call.params.get("timestamp"))
        try:
            identifier = self._take(call, self._world.clock.seconds if stamp is None else stamp)
        except Refused as refused:
            refused.code = _V2_CODES.get(refused.code or DUPLICATE, refused.code or DUPLICATE)
            raise
        now = self._now_text()
        return {
            "object": "v2.billing.meter_event",
            "created": now,
            "event_name": call.params["event_name"],
            "identifier": identifier,
            "livemode": False,
            "payload": call.params["payload"],
            "timestamp": call.params.get("timestamp", now),
        }

    def _take(self, call: Call, stamp: float) -> str:
        identifier: str = call.params.get("identifier") or self._world.new_id("mevt")
        key = call.idempotency_key if self._world.assumed.a33_report_names_key else None
        incoming = Incoming(call.params["event_name"], call.params["payload"], identifier, stamp, key or identifier)
        at_once = self._world.assumed.a09_refused_at_once
        if code := self._usage.take(incoming, at_once=at_once, fault=self.fault):
            raise self._refusal(code, identifier)
        return identifier

    def _refusal(self, code: str, identifier: str) -> Refused:
        if code == DUPLICATE:
            message = self._world.assumed.a03_duplicate_message.format(identifier=identifier)
            return Refused(400, message, headers={"stripe-should-retry": "false"})
        if code == "timestamp_too_far_in_past":
            oldest = self._world.now - self._world.assumed.a07_oldest
            message = "The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or "
            return wrong(f"{message}equal to {oldest}.", "timestamp", code)
        return wrong(MESSAGES[code], code=code)

    def _cancel(self, call: Call) -> Object:
        identifier = call.params.get("cancel", {}).get("identifier")
        if not identifier:
            raise wrong("Missing required param: cancel[identifier].", "cancel[identifier]", "parameter_missing")
        self._usage.cancel(call.params["event_name"], identifier)
        return {
            "object": "billing.meter_event_adjustment",
            "cancel": {"identifier": identifier},
            "event_name": call.params["event_name"],
            "livemode": False,
            "status": "pending",
            "type": "cancel",
        }

    def _cancel_v2(self, call: Call) -> Object:
        return {
            **self._cancel(call),
            "id": self._world.new_id("mtr_event_adj"),
            "object": "v2.billing.meter_event_adjustment",
            "created": self._now_text(),
        }

    def _session(self, call: Call) -> Object:  # noqa: ARG002 - it takes nothing
        expires = self._world.clock.seconds + SESSION
        session = self._world.new_id("mes")
        self._sessions[f"token_{session}"] = expires
        return {
            "id": session,
            "object": "v2.billing.meter_event_session",
            "authentication_token": f"token_{session}",
            "created": self._now_text(),
            "expires_at": rfc3339(expires),
            "livemode": False,
        }

    def _now_text(self) -> str:
        return rfc3339(self._world.clock.seconds)


def rfc3339(seconds: float) -> str:
    """An instant as v2 writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _instant(text: str | None) -> float | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"timestamp without an offset: {text}")
    return moment.timestamp()


_CREATE: dict[str, Any] = {
    "display_name": None,
    "event_name": None,
    "default_aggregation": None,
    "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
    "value_settings": {"event_payload_key": "value"},
    "event_time_window": None,
}
"""What a meter is made of, and what it has where nothing is said."""
