"""Teams, their metrics and everything that happened to their usage, and what the store has to say about it."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tallystick.core.clock import Interval
from tallystick.core.ids import event_id
from tallystick.metering.aggregation import Bin, finish
from tallystick.metering.definitions import definition_to_json
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import (
    Aggregation,
    Correction,
    Level,
    Measure,
    MetricDefinition,
    MetricVersion,
    NewEvent,
    Usage,
)
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

from .recompute import Fact, amounts, known_until, recompute

A = Aggregation
EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "40"))
TEAMS = 3
PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]  # explaining would take minutes of SQL
BASE = MetricDefinition(
    name="", aggregation=A.SUM, unit="x", event_name="call", dimensions=("region",), allow_negative=True
)
METRICS = [
    BASE,
    replace(BASE, aggregation=A.COUNT, filters={"kind": ["a", "b"]}),
    replace(BASE, aggregation=A.MAX),
    replace(BASE, aggregation=A.MIN, dimensions=()),
    replace(BASE, aggregation=A.AVERAGE, value="size"),
    replace(BASE, aggregation=A.LATEST),
    replace(BASE, aggregation=A.UNIQUE_COUNT, value="kind"),
    replace(BASE, aggregation=A.TIME_WEIGHTED, level=Level.ABSOLUTE),
    replace(
        BASE, aggregation=A.TIME_WEIGHTED, level=Level.ABSOLUTE, value="size", dimensions=("region", "kind"), per=1
    ),
    replace(BASE, aggregation=A.TIME_WEIGHTED, level=Level.DELTA, per=60),
    replace(BASE, aggregation=A.PERCENTILE, slot=300, percentile=Decimal(95), dimensions=("region", "kind")),
    replace(BASE, aggregation=A.PERCENTILE, percentile=Decimal(50)),
    replace(BASE, aggregation=A.SUM, value="size", allow_negative=False, dimensions=()),
]
law = settings(max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
"""How a law is tested: with this many random worlds."""

DAYS = {
    "America/New_York": [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)],
    "Asia/Kathmandu": [datetime(2026, 2, 28, tzinfo=UTC)],
    "UTC": [datetime(2026, 3, 31, tzinfo=UTC)],
}


@dataclass
class World:
    """Some teams, their metrics, every event, and the instants that were sealed on the way."""

    store: PostgresEventStore
    database: Database
    day: datetime
    now: datetime = field(init=False)
    run: str = field(default_factory=lambda: str(uuid4()))
    facts: dict[UUID, Fact] = field(default_factory=dict)
    versions: list[MetricVersion] = field(default_factory=list)
    sealed: list[datetime] = field(default_factory=list)
    batches: int = 0

    def __post_init__(self) -> None:
        self.now = self.day + timedelta(minutes=25)

    @property
    def teams(self) -> list[str]:
        return [f"team-{number}-{self.run}" for number in range(TEAMS)]

    async def take(self, action: str, argument: Any) -> None:
        """One step of what may happen."""
        match action:
            case "append":
                await self.append(argument)
            case "roll up":
                await self.store.roll_up(self.now, limit=argument)
            case "void":
                await self.correct(argument, None)
            case "amend":
                await self.correct(*argument)
            case "add metric":
                await self.add_metric(argument)
            case "wait":
                self.now += timedelta(minutes=argument)
            case "seal":
                self.sealed.append(await self.store.seal(self.now))

    async def add_metric(self, definition: MetricDefinition) -> None:
        named = replace(definition, name=f"{definition.aggregation}-{uuid4()}")
        async with self.database.transaction() as tx:
            await tx.execute("INSERT INTO metrics VALUES (%s, %s, 'x', now())", [named.name, named.aggregation])
            cursor = await tx.execute(
                "INSERT INTO metric_versions (metric, definition, effective_from, recorded_at) "
                "VALUES (%s, %s, '-infinity', '2026-01-01Z') RETURNING id",
                [named.name, json.dumps(definition_to_json(named))],
            )
            row = await cursor.fetchone()
        assert row is not None
        self.versions.append(MetricVersion(row[0], named, None, None))

    async def append(self, batch: Sequence[dict[str, Any]]) -> None:
        self.batches += 1
        events = [self._event(str(uuid4()), sent) for sent in batch]
        await self.store.append(events, self.now)
        for position, (event, sent) in enumerate(zip(events, batch, strict=True)):
            await self._keep(event, (self.batches, position), sent)

    def _event(self, key: str, sent: dict[str, Any], team: str | None = None, amends: UUID | None = None) -> NewEvent:
        since = self.now if sent["second"] < 0 else self.day
        at = since + timedelta(seconds=sent["second"])
        of = team or self.teams[sent["team"]]
        metadata = json.dumps({k: int(v) if isinstance(v, Decimal) else v for k, v in sent["metadata"].items()})
        text = (of, None, None, sent["name"])
        return NewEvent(event_id(of, key), 0, *text, sent["quantity"], None, metadata, key, at, amends)

    async def _keep(self, event: NewEvent, order: tuple[int, int], sent: dict[str, Any]) -> None:
        stored = await self.store.event(event.id)
        assert stored is not None
        assert all(stored.recorded_at > sealed for sealed in self.sealed)
        metadata = sent["metadata"]
        self.facts[event.id] = Fact(
            event.team_id, order, event.event_name, event.occurred_at, stored.recorded_at, event.quantity, metadata
        )

    async def correct(self, pick: int, sent: dict[str, Any] | None) -> None:
        counting = sorted(id for id, fact in self.facts.items() if fact.counts(None))
        if not counting:
            return
        chosen = counting[pick % len(counting)]
        self.batches += 1
        replacement = None
        if sent:
            event = await self.store.event(chosen)
            assert event is not None
            replacement = self._event(str(uuid4()), sent, event.team_id, amends=event.amends or event.id)
        kind = "amend" if replacement else "void"
        correction = Correction(chosen, kind, replacement.id if replacement else None, "test", "test", self.now)
        assert await self.store.void(correction, replacement)
        recorded = await self.store.correction(chosen)
        assert recorded is not None
        assert all(recorded.recorded_at > sealed for sealed in self.sealed)
        self.facts[chosen] = self.facts[chosen]._replace(voided_at=recorded.recorded_at)
        if replacement and sent:
            await self._keep(replacement, (self.batches, 0), sent)

    def known(self, team: str, known_at: datetime | None = None) -> list[Fact]:
        """The events of a team that count, as known at a moment."""
        return [fact for fact in self.facts.values() if fact.team == team and fact.counts(known_at)]

    def requests(self, cut: Sequence[Interval], as_of: datetime) -> Iterator[UsageRequest]:
        """Every metric of every team, by every choice of dimensions."""
        for version in self.versions:
            for group_by in {(), version.definition.dimensions, version.definition.dimensions[:1]}:
                for team in self.teams:
                    yield UsageRequest([version], team, cut, as_of, group_by)

    async def check(self, requests: Sequence[UsageRequest]) -> None:
        """That the store answers these as a recomputation does, from roll-ups and from raw events."""
        asked = [*requests, *(replace(request, raw=True) for request in requests)]
        for request, answer in zip(asked, await self.store.usage(asked), strict=True):
            self._check(request, answer)

    def _check(self, request: UsageRequest, answer: Sequence[Usage]) -> None:
        definition, facts = request.versions[0].definition, self.known(request.team_id, request.known_at)
        known = known_until(definition, facts, request.windows[-1].end, request.as_of)
        for window in request.windows:
            expected = recompute(definition, facts, window, known, request.group_by, request.measure)
            begun = request.measure is Measure.TOTAL or window.start < known
            nothing = finish(definition, Bin()) if begun else None
            found = {usage.dimensions: usage for usage in answer if usage.window == window}
            for labels in {*found, *expected}:
                quantity = found[labels].quantity if labels in found else nothing
                assert quantity == expected.get(labels, nothing), (request, window, labels)
            if request.each:
                values = amounts(definition, facts, window, request.group_by)
                assert {at: usage.amounts for at, usage in found.items() if usage.amounts} == values

    async def retire(self) -> None:
        async with self.database.transaction() as tx:
            await tx.execute("UPDATE metric_versions SET superseded_at = '2026-01-02Z'")


numbers = (
    st.decimals(-(10**19), 10**19, places=18) | st.decimals(-1000, 1000, places=3) | st.integers(0, 5).map(Decimal)
)
sent_events = st.fixed_dictionaries({
    "team": st.integers(0, TEAMS - 1),
    "name": st.sampled_from(["call", "call", "call", "other"]),
    # Some of them from the first day on, some just before they are sent.
    "second": st.integers(0, 3 * 86_400) | st.integers(0, 72).map(lambda h: h * 3600) | st.integers(36_000, 39_600)
    | st.integers(-5400, -1),
    "quantity": numbers,
    "metadata": st.fixed_dictionaries({}, optional={
        "region": st.sampled_from(["eu", "us"]), "kind": st.sampled_from(["a", "b", "c"]),
        "size": st.integers(-3, 10).map(Decimal) | st.just("many"),
    }),
})  # fmt: skip
steps = st.lists(
    st.tuples(st.just("append"), st.lists(sent_events, min_size=1, max_size=8))
    | st.tuples(st.just("roll up"), st.integers(1, 10))
    | st.tuples(st.just("void"), st.integers(0, 100))
    | st.tuples(st.just("amend"), st.tuples(st.integers(0, 100), sent_events))
    | st.tuples(st.just("add metric"), st.sampled_from(METRICS))
    | st.tuples(st.just("wait"), st.integers(1, 50) | st.integers(1, 3000))
    | st.tuples(st.just("seal"), st.none()),
    min_size=2,
    max_size=14,
)
