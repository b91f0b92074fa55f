"""Meter events: taken or refused, counted after a while, added up.

One object holds the events of an account. What is refused at once and what is found out later, how long an
identifier is known, and how a sum is made are rules of `assumptions.py`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tallystick.integrations.stripe.fake.assumptions import CANCEL_WITHIN, DAY, HOUR, MAX_DIGITS, exact_sum
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.faults import Effect, Fault
from tallystick.integrations.stripe.fake.refusals import wrong
from tallystick.integrations.stripe.fake.world import World

WINDOW_SECONDS = {"hour": HOUR, "day": DAY}
DUPLICATE = "duplicate_meter_event"


class Lag(NamedTuple):
    """How many seconds after it was accepted an event is counted: each takes its own time within these."""

    least: float = 0
    most: float = 0


class Incoming(NamedTuple):
    """A meter event as it arrives. `reference` is what an error report will call it."""

    event_name: str
    payload: dict[str, str]
    identifier: str
    timestamp: float
    reference: str


@dataclass(slots=True)
class MeterEvent:
    """A meter event that was accepted for a customer and is, or will be, counted."""

    identifier: str
    meter: str
    customer: str
    timestamp: float
    value: Decimal
    received_at: float
    counts_from: float
    cancelled: bool = False


class Known(NamedTuple):
    """An identifier that is spent, and the event that spent it, unless that was rejected."""

    received_at: float
    event: MeterEvent | None


class Usage:
    """The meter events of an account.

    Args:
        world: whose meters and customers they are about.
        lag: when they are counted.
        report: told the meter (or None), the error code and the reference of an event that is rejected later.
    """

    def __init__(self, world: World, lag: Lag, report: Callable[[str | None, str, str], None]) -> None:
        self._world = world
        self.lag = lag
        self.report = report
        self._by_event_name: dict[str, Object] = {}
        self._lanes: dict[tuple[str, str], list[MeterEvent]] = {}
        self._known: dict[tuple[str, str], Known] = {}
        self._forgetting: deque[tuple[float, tuple[str, str]]] = deque()
        self.accepted = 0
        self.duplicates = 0
        self.rejected = 0

    def meter_named(self, event_name: str) -> Object | None:
        """The meter that events of a name go to."""
        return self._by_event_name.get(event_name)

    def register(self, meter: Object) -> None:
        """Let a meter receive the events of its name."""
        self._by_event_name[meter["event_name"]] = meter

    def take(self, event: Incoming, *, at_once: frozenset[str], fault: Fault | None = None) -> str | None:
        """Accept an event, or say what is wrong with it.

        Args:
            event: what came.
            at_once: the codes that are answered; an event with another is accepted and rejected later.
            fault: what befalls it once it is accepted.

        Returns:
            The code of a refusal, or None when it was accepted.
        """
        now = self._world.clock.seconds
        self._forget(now)
        meter = self._by_event_name.get(event.event_name)
        key = (event.event_name if self._world.assumed.a01_identifier_scope == "meter" else "", event.identifier)
        if key in self._known:
            self.duplicates += 1
            return DUPLICATE
        code = self._problem(event, meter, now)
        if code in at_once:
            if self._world.assumed.a05_refused_keeps_identifier:
                self._spend(key, now, None)
            return code
        self.accepted += 1
        if code is None and fault and fault.effect is Effect.REJECTED_LATER:
            code = fault.code
        if code:
            self._reject(key, meter, code, event.reference)
        else:
            assert meter
            self._count(key, meter, event, fault.effect if fault else None)
        return None

    def cancel(self, event_name: str, identifier: str) -> None:
        """Take an event back.

        Raises:
            Refused: it is not known, was cancelled, or was received too long ago.
        """
        meter = self._by_event_name.get(event_name)
        scope = event_name if self._world.assumed.a01_identifier_scope == "meter" else ""
        known = self._known.get((scope, identifier))
        if known is None or known.event is None or meter is None or known.event.meter != meter["id"]:
            raise wrong(f"No meter event was found with identifier {identifier}.", code="invalid_cancel_configuration")
        if known.event.cancelled and self._world.assumed.a18_second_cancel_is_refused:
            raise wrong(f"The meter event {identifier} is cancelled already.", code="invalid_cancel_configuration")
        if self._world.clock.seconds - known.received_at > CANCEL_WITHIN:
            raise wrong("A meter event can be cancelled for 24 hours.", code="invalid_cancel_configuration")
        known.event.cancelled = True
        if not self._world.assumed.a17_cancelled_keeps_identifier:
            del self._known[scope, identifier]

    def events(self, meter: str, customer: str) -> list[MeterEvent]:
        """Every event that was accepted, in the order of receipt."""
        return self._lanes.get((meter, customer), [])

    def customers(self, meter: str) -> list[str]:
        """Whose events a meter has."""
        return [customer for each, customer in self._lanes if each == meter]

    def counted(
        self, meter: Object, customer: str, start: float, end: float, *, uncounted: bool = False
    ) -> list[MeterEvent]:
        """The events in an interval that summaries and invoices count now, in the order of receipt.

        With `uncounted` those, too, that were accepted and are not counted yet.
        """
        now = self._world.clock.seconds if not uncounted else float("inf")
        inclusive = not self._world.assumed.a13_summary_end_is_exclusive
        found = [
            event
            for event in self.events(meter["id"], customer)
            if event.counts_from <= now
            and not event.cancelled
            and (start <= event.timestamp < end or (inclusive and event.timestamp == end))
        ]
        window = WINDOW_SECONDS.get(meter["event_time_window"] or "")
        return list(_latest_received(found, window)) if window else found

    def total(self, meter: Object, customer: str, start: float, end: float, *, uncounted: bool = False) -> Decimal:
        """What the events come to, exactly; see `counted`."""
        return self._aggregate(meter, self.counted(meter, customer, start, end, uncounted=uncounted))

    def windows(self, meter: Object, customer: str, start: int, end: int, step: int) -> dict[int, float]:
        """What summaries show for each window that has events, by its beginning."""
        found: dict[int, list[MeterEvent]] = {}
        for event in self.counted(meter, customer, start, end):
            for opens in self._windows_of(event.timestamp, start, end, step):
                found.setdefault(opens, []).append(event)
        return {opens: self._shown(meter, events) for opens, events in sorted(found.items())}

    def _windows_of(self, timestamp: float, start: int, end: int, step: int) -> Iterator[int]:
        passed = int((timestamp - start) // step)
        opens = start + passed * step
        if opens < end:
            yield opens
        if timestamp == opens > start and not self._world.assumed.a13_summary_end_is_exclusive:
            yield opens - step

    def _shown(self, meter: Object, found: list[MeterEvent]) -> float:
        if meter["default_aggregation"]["formula"] == "sum":
            return self._world.assumed.add_up([event.value for event in found])
        return float(self._aggregate(meter, found))

    def _aggregate(self, meter: Object, found: list[MeterEvent]) -> Decimal:
        match meter["default_aggregation"]["formula"]:
            case "count":
                return Decimal(len(found))
            case "last":
                return self._last(found).value if found else Decimal(0)
            case _:
                return exact_sum([event.value for event in found])

    def _last(self, found: list[MeterEvent]) -> MeterEvent:
        newest = max(event.timestamp for event in found)
        equals = [event for event in found if event.timestamp == newest]
        return equals[-1 if self._world.assumed.a19_last_of_equals == "received_last" else 0]

    def _problem(self, event: Incoming, meter: Object | None, now: float) -> str | None:
        assumed = self._world.assumed
        if meter is None:
            return "no_meter"
        if meter["status"] != "active":
            return "archived_meter"
        if event.timestamp < now - assumed.a07_oldest:
            return "timestamp_too_far_in_past"
        if event.timestamp > now + assumed.a08_ahead:
            return "timestamp_in_future"
        return self._wrong_payload(event, meter)

    def _wrong_payload(self, event: Incoming, meter: Object) -> str | None:
        customer = event.payload.get(meter["customer_mapping"]["event_payload_key"])
        if not customer:
            return "meter_event_no_customer_defined"
        if meter["default_aggregation"]["formula"] != "count":
            text = event.payload.get(meter["value_settings"]["event_payload_key"], "")
            if self._world.assumed.value(text) is None:
                return "meter_event_invalid_value"
            if self._world.assumed.significant_digits(text) > MAX_DIGITS:
                return "meter_event_value_too_many_digits"
        found = self._world.customers.get(customer)
        return "meter_event_customer_not_found" if found is None or found.get("deleted") else None

    def _count(self, key: tuple[str, str], meter: Object, event: Incoming, effect: Effect | None) -> None:
        now = self._world.clock.seconds
        customer = event.payload[meter["customer_mapping"]["event_payload_key"]]
        text = event.payload.get(meter["value_settings"]["event_payload_key"], "1")
        counted = MeterEvent(
            identifier=event.identifier,
            meter=meter["id"],
            customer=customer,
            timestamp=event.timestamp,
            value=self._world.assumed.value(text) or Decimal(0),
            received_at=now,
            counts_from=float("inf") if effect is Effect.NEVER_COUNTED else now + self._delay(),
        )
        lane = self._lanes.setdefault((meter["id"], customer), [])
        lane.extend([counted] * (2 if effect is Effect.COUNTED_TWICE else 1))
        self._spend(key, now, counted)

    def _delay(self) -> float:
        least, most = self.lag
        return self._world.random.uniform(least, most) if most else 0

    def _reject(self, key: tuple[str, str], meter: Object | None, code: str, reference: str) -> None:
        self.rejected += 1
        if self._world.assumed.a06_rejected_keeps_identifier:
            self._spend(key, self._world.clock.seconds, None)
        self.report(meter["id"] if meter else None, code, reference)

    def _spend(self, key: tuple[str, str], now: float, event: MeterEvent | None) -> None:
        self._known[key] = Known(now, event)
        self._forgetting.append((now + self._world.assumed.a02_identifier_window, key))

    def _forget(self, now: float) -> None:
        while self._forgetting and self._forgetting[0][0] <= now:
            _, key = self._forgetting.popleft()
            self._known.pop(key, None)


def _latest_received(found: list[MeterEvent], window: int) -> Iterator[MeterEvent]:
    """Of each UTC hour or day the event that came last (a meter with a window counts that alone)."""
    latest = {event.timestamp // window: event for event in found}
    return iter(latest.values())
