"""Usage by the name of a metric: what reports, charges, alerts and checks all read.

This is the one path from events to a number. It is answered from one snapshot and includes every
acknowledged event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tallystick.core.clock import Clock, Interval
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.metering.aggregation import Bin, Partial, finish
from tallystick.metering.event_store import EventStore, UsageRequest
from tallystick.metering.metrics import metric_versions
from tallystick.metering.models import Aggregation, Measure, MetricDefinition, MetricVersion, Usage
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class UsageQuestion:
    """Which usage is wanted.

    Attributes:
        metric: by name.
        team_id: whose.
        windows: the intervals to answer for, each beginning where the one before ends.
        group_by: dimensions of the metric to keep apart.
        where: dimension → the values one of which it must have.
        raw: recompute from raw events, past the roll-ups.
        known_at: count only what was recorded at or before this instant: events, corrections and definitions.
        each: give the values of the single events, too, in the order of time: `Usage.amounts`.
        measure: of a time-weighted metric: the total (level × time), or the average or the highest level, in
            the unit of the level. The average is over the window, up to `as_of` while it is running; the peak
            is the highest level that held at any moment of it.
    """

    metric: str
    team_id: str
    windows: Sequence[Interval]
    group_by: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    raw: bool = False
    known_at: datetime | None = None
    each: bool = False
    measure: Measure = Measure.TOTAL


class UsageReader:
    """Answers questions about usage."""

    def __init__(self, database: Database, store: EventStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def metrics(self, known_at: datetime | None = None) -> dict[str, list[MetricVersion]]:
        """Every metric in force with its versions, oldest first; with `known_at`, as known at that moment."""
        async with self._database.snapshot() as connection:
            versions = await metric_versions(connection, known_at)
        by_name: dict[str, list[MetricVersion]] = {}
        for version in versions:
            by_name.setdefault(version.name, []).append(version)
        return by_name

    async def read(self, questions: Sequence[UsageQuestion], *, as_of: datetime | None = None) -> list[list[Usage]]:
        """The usage of each question, all in one snapshot.

        Without `group_by` there is one `Usage` per window, zero or None where nothing happened; with it, one
        per window and dimension values that occur.

        Args:
            questions: what is wanted.
            as_of: up to when levels hold in windows still running; default: now.

        Raises:
            NotFound: there is no metric of that name; the message lists those there are.
            InvalidInput: a dimension that the metric does not keep apart, the level of a metric that has none, or
                the amounts of a metric whose events are not worth a number.
        """
        requests = await self._requests(questions, as_of)
        answers = await self._store.usage(requests)
        return [
            answer if question.group_by else _zero_filled(request, answer)
            for question, request, answer in zip(questions, requests, answers, strict=True)
        ]

    async def partials(
        self, questions: Sequence[UsageQuestion], *, as_of: datetime | None = None
    ) -> list[list[Partial]]:
        """What the usage of each question is made of, all in one snapshot, so that teams can be added up.

        Partials of one window merge (`Bin.merge`), over teams and over dimension values, and
        `aggregation.finish` says what they come to. Of the total measure only, and without the amounts of
        single events. Windows in which nothing happened are absent. Raises what `read` raises.
        """
        return await self._store.partials(await self._requests(questions, as_of))

    async def _requests(self, questions: Sequence[UsageQuestion], as_of: datetime | None) -> list[UsageRequest]:
        known = {known_at: await self.metrics(known_at) for known_at in {each.known_at for each in questions}}
        moment = as_of or self._clock.now()
        return [_request(question, known[question.known_at], moment) for question in questions]


def find_metric(name: str, metrics: Mapping[str, Sequence[MetricVersion]]) -> Sequence[MetricVersion]:
    """The versions of a metric.

    Raises:
        NotFound: there is none of that name; the message lists those there are.
    """
    if name not in metrics:
        known = ", ".join(sorted(metrics)) or "none is defined yet"
        raise NotFound(f"there is no metric {name!r}; there are: {known}")
    return metrics[name]


def _request(question: UsageQuestion, metrics: Mapping[str, Sequence[MetricVersion]], as_of: datetime) -> UsageRequest:
    versions = find_metric(question.metric, metrics)
    _check(question, versions[-1].definition)
    return UsageRequest(
        versions=versions,
        team_id=question.team_id,
        windows=question.windows,
        as_of=as_of,
        group_by=question.group_by,
        where=question.where,
        raw=question.raw,
        known_at=question.known_at,
        each=question.each,
        measure=question.measure,
    )


def _check(question: UsageQuestion, definition: MetricDefinition) -> None:
    for name in (*question.group_by, *question.where):
        if name not in definition.dimensions:
            allowed = ", ".join(definition.dimensions) or "none: it keeps no dimensions apart"
            raise InvalidInput(
                f"{name!r} is not a dimension of metric {question.metric!r}; there are: {allowed}",
                field="group_by",
            )
    if question.measure is not Measure.TOTAL and definition.aggregation is not Aggregation.TIME_WEIGHTED:
        raise InvalidInput(
            f"metric {question.metric!r} has no level whose {question.measure} could be taken; "
            f"it is {definition.aggregation}, not time_weighted",
            field="measure",
        )
    if question.each and definition.aggregation is Aggregation.UNIQUE_COUNT:
        raise InvalidInput(f"events of metric {question.metric!r} are not worth a number: it is unique_count")


def _zero_filled(request: UsageRequest, answer: Sequence[Usage]) -> list[Usage]:
    found = {usage.window: usage for usage in answer}
    return [found.get(window) or _nothing(request, window) for window in request.windows]


def _nothing(request: UsageRequest, window: Interval) -> Usage:
    """The usage of a window in which nothing happened; there is no average or peak of one that has not begun."""
    definition = request.versions[-1].definition
    begun = request.measure is Measure.TOTAL or window.start < request.as_of
    quantity = finish(definition, Bin()) if begun else None
    return Usage(definition.name, window, (), quantity, 0, 0, () if request.each else None)
