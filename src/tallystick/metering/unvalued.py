"""Events that a metric counts but finds no value in: which they are, and why.

They are stored and add nothing to the usage. Once the metric is corrected in the billing file, its roll-ups
are made anew from the raw events, and those that have a value by then count, in the period they happened in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import InvalidInput
from tallystick.core.money import plain
from tallystick.metering.decoding import shown
from tallystick.metering.event_store import EventPage, EventStore
from tallystick.metering.models import EventFilter, MetricDefinition, MetricVersion, Unvalued, UsageEvent
from tallystick.metering.usage import UsageQuestion, UsageReader, find_metric

HOUR = timedelta(hours=1)
LOOKED_BACK = timedelta(days=31)
LONGEST = timedelta(days=400)
FIELDS = ("user_id", "event_type", "event_name")

_metadata = msgspec.json.Decoder(dict[str, Any], float_hook=str)


class Found(NamedTuple):
    """An event without a value, and why it has none."""

    event: UsageEvent
    problem: str


class FoundPage(NamedTuple):
    """Some events without a value, newest first, and where to go on; None: there are no more."""

    found: Sequence[Found]
    after: tuple[str, ...] | None


class UnvaluedEvents:
    """Finds events that could not be valued."""

    def __init__(self, store: EventStore, usage: UsageReader, clock: Clock) -> None:
        self._store = store
        self._usage = usage
        self._clock = clock

    async def counts(self, interval: Interval | None = None, team_id: str | None = None) -> list[Unvalued]:
        """Which metrics find no value in events of which teams, the most first, as far as roll-ups have got.

        Args:
            interval: when they happened; default: the last 31 days and what is ahead.
            team_id: of this team; None: of any.
        """
        return await self._store.unvalued(self._interval(interval), team_id)

    async def page(
        self,
        metric: str,
        team_id: str,
        interval: Interval | None = None,
        *,
        limit: int = 100,
        after: tuple[str, ...] | None = None,
    ) -> FoundPage:
        """Events of a team that a metric counts and finds no value in, newest first.

        Args:
            metric: by name.
            team_id: whose.
            interval: when they happened, at most 400 days; default: the last 31 days and what is ahead.
            limit: most events of the page.
            after: where the page before ended.

        Raises:
            NotFound: there is no such metric.
            InvalidInput: the interval is too long.
        """
        versions = find_metric(metric, await self._usage.metrics())
        found: list[Found] = []
        for hour in await self._hours(metric, team_id, self._interval(interval)):
            page = await self._in_hour(versions, team_id, hour, limit - len(found), after)
            found += [Found(event, problem_of(versions, event)) for event in page.events]
            if page.after is not None:
                return FoundPage(found, page.after)
            if len(found) == limit:
                last = found[-1].event
                return FoundPage(found, (last.occurred_at.isoformat(), str(last.id)))
        return FoundPage(found, None)

    async def _in_hour(
        self, versions: Sequence[MetricVersion], team_id: str, hour: Interval, limit: int, after: tuple[str, ...] | None
    ) -> EventPage:
        wanted = EventFilter(team_id, interval=hour, versions=versions, corrected=False, unvalued=True)
        return await self._store.events(wanted, limit=limit, after=after)

    async def _hours(self, metric: str, team_id: str, interval: Interval) -> list[Interval]:
        """The hours with such events, newest first. Roll-ups know them, so that no others are looked through."""
        ((*usages,),) = await self._usage.read([UsageQuestion(metric, team_id, _hours_of(interval))])
        return [usage.window for usage in reversed(usages) if usage.unvalued]

    def _interval(self, given: Interval | None) -> Interval:
        now = self._clock.now()
        start, end = given or Interval(now - LOOKED_BACK, now + LOOKED_BACK)
        end = min(end, now + LOOKED_BACK)
        start = min(start, end)
        if end - start > LONGEST:
            raise InvalidInput(f"from and to are more than {LONGEST.days} days apart; ask for less", field="from")
        return Interval(start, end)


def _hours_of(interval: Interval) -> list[Interval]:
    bounds = [interval.start]
    bound = interval.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    while bound < interval.end:
        bounds.append(bound)
        bound += HOUR
    return [Interval(start, end) for start, end in zip(bounds, [*bounds[1:], interval.end], strict=True)]


def problem_of(versions: Sequence[MetricVersion], event: UsageEvent) -> str:
    """Why a metric finds no value in an event that it counts, in one line."""
    definition = _version_at(versions, event.occurred_at).definition
    if definition.value == "quantity":
        return _problem_of_quantity(definition, event)
    if definition.value in FIELDS:
        return f"it has no {definition.value}"
    content: Any = _metadata.decode(event.metadata or "{}")
    path = definition.value.removeprefix("metadata.")
    for step in path.split("."):
        content = content.get(step) if isinstance(content, dict) else None
    if content is None:
        return f"metadata has no {path}"
    return _problem_of_text(definition, path, content)


def _problem_of_quantity(definition: MetricDefinition, event: UsageEvent) -> str:
    if event.unit not in (None, definition.expected_unit):
        return f"its unit is {event.unit!r}, not {definition.expected_unit!r}"
    return f"its quantity {plain(event.quantity)} is negative, which the metric does not allow"


def _problem_of_text(definition: MetricDefinition, path: str, content: Any) -> str:
    spelled = content if isinstance(content, str) else msgspec.json.encode(content).decode()
    if spelled.startswith("-") and not definition.accepts_negative:
        return f"metadata.{path} is {shown(spelled)}, which is negative; the metric does not allow that"
    return f"metadata.{path} is {shown(spelled)}, which is no number below 10^20 with at most 18 decimals"


def _version_at(versions: Sequence[MetricVersion], moment: datetime) -> MetricVersion:
    for version in reversed(versions):
        if version.effective_from is None or version.effective_from <= moment:
            return version
    return versions[0]
