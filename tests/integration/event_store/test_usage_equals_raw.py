"""The law of the roll-ups: usage from roll-ups and tail is what a recomputation from the events gives.

For random events, corrections, late arrivals, roll-up timings and metrics added late, in zones whose hours
are not UTC's and on days that have 23, 24 and 25 hours.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tallystick.core.clock import Interval, Window, windows, zone
from tallystick.core.ids import event_id
from tallystick.metering.aggregation import Bin, finish
from tallystick.metering.definitions import definition_to_json
from tallystick.metering.event_store import UsageRequest
from tallystick.metering.models import Aggregation, Correction, Level, MetricDefinition, MetricVersion, NewEvent, Usage
from tallystick.metering.postgres import PostgresEventStore
from tallystick.storage.database import Database

from .recompute import Fact, known_until, recompute

A = Aggregation
EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "40"))
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
DAYS = {
    "America/New_York": [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)],
    "Asia/Kathmandu": [datetime(2026, 2, 28, tzinfo=UTC)],
    "UTC": [datetime(2026, 3, 31, tzinfo=UTC)],
}


@dataclass
class World:
    """One team, its metrics, and every event that counts at the moment."""

    store: PostgresEventStore
    database: Database
    day: datetime
    team: str = field(default_factory=lambda: f"team-{uuid4()}")
    facts: dict[UUID, Fact] = field(default_factory=dict)
    versions: list[MetricVersion] = field(default_factory=list)
    batches: int = 0

    async def add_metric(self, definition: MetricDefinition) -> None:
        named = replace(definition, name=f"{definition.aggregation}-{uuid4()}")
        async with self.database.transaction() as tx:
            await tx.execute("INSERT INTO metrics VALUES (%s, %s, 'x', now())", [named.name, named.aggregation])
            cursor = await tx.execute(
                "INSERT INTO metric_versions (metric, definition, effective_from, recorded_at) "
                "VALUES (%s, %s, '-infinity', now()) RETURNING id",
                [named.name, json.dumps(definition_to_json(named))],
            )
            row = await cursor.fetchone()
        assert row is not None
        self.versions.append(MetricVersion(row[0], named, None, None))

    async def append(self, batch: Sequence[dict[str, Any]]) -> None:
        self.batches += 1
        events = [self._event(str(uuid4()), sent) for sent in batch]
        await self.store.append(events, self.day)
        for position, (event, sent) in enumerate(zip(events, batch, strict=True)):
            self.facts[event.id] = self._fact((self.batches, position), sent)

    def _event(self, key: str, sent: dict[str, Any]) -> NewEvent:
        at = self.day + timedelta(seconds=sent["second"])
        metadata = json.dumps({k: int(v) if isinstance(v, Decimal) else v for k, v in sent["metadata"].items()})
        return NewEvent(
            event_id(self.team, key), 0, self.team, None, None, sent["name"], sent["quantity"], None, metadata, key, at
        )

    def _fact(self, order: tuple[int, int], sent: dict[str, Any]) -> Fact:
        at = self.day + timedelta(seconds=sent["second"])
        return Fact(order, sent["name"], at, sent["quantity"], sent["metadata"])

    async def correct(self, pick: int, sent: dict[str, Any] | None) -> None:
        if not self.facts:
            return
        chosen = sorted(self.facts)[pick % len(self.facts)]
        self.batches += 1
        replacement = self._event(str(uuid4()), sent) if sent else None
        kind = "amend" if sent else "void"
        correction = Correction(chosen, kind, replacement.id if replacement else None, "test", "test", self.day)
        assert await self.store.void(correction, replacement)
        del self.facts[chosen]
        if replacement and sent:
            self.facts[replacement.id] = self._fact((self.batches, 0), sent)

    async def check(self, interval: Interval, size: Window, zone_name: str, as_of: datetime) -> None:
        cut = windows(interval, size, zone(zone_name))
        requests = [
            UsageRequest([version], self.team, cut, as_of, group_by)
            for version in self.versions
            for group_by in {(), version.definition.dimensions, version.definition.dimensions[:1]}
        ]
        answers = await self.store.usage([*requests, *(replace(request, raw=True) for request in requests)])
        for request, answer in zip([*requests, *requests], answers, strict=True):
            self._check(request, answer)

    def _check(self, request: UsageRequest, answer: Sequence[Usage]) -> None:
        definition, cut, facts = request.versions[0].definition, request.windows, list(self.facts.values())
        known = known_until(definition, facts, cut[-1].end, request.as_of)
        nothing = finish(definition, Bin())
        for window in cut:
            expected = recompute(definition, facts, window, known, request.group_by)
            found = {u.dimensions: u.quantity for u in answer if u.window == window}
            for labels in {*found, *expected}:
                assert found.get(labels, nothing) == expected.get(labels, nothing), (definition, window, labels)

    async def retire(self) -> None:
        async with self.database.transaction() as tx:
            await tx.execute("UPDATE metric_versions SET superseded_at = now()")


numbers = (
    st.decimals(-(10**19), 10**19, places=18) | st.decimals(-1000, 1000, places=3) | st.integers(0, 5).map(Decimal)
)
sent_events = st.fixed_dictionaries({
    "name": st.sampled_from(["call", "call", "call", "other"]),
    "second": st.integers(0, 3 * 86_400) | st.integers(0, 72).map(lambda h: h * 3600) | st.integers(36_000, 39_600),
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
    | st.tuples(st.just("add metric"), st.sampled_from(METRICS)),
    min_size=2,
    max_size=14,
)


@settings(max_examples=EXAMPLES, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
@given(
    metrics=st.lists(st.sampled_from(METRICS), min_size=1, max_size=3),
    steps=steps,
    zone_name=st.sampled_from(sorted(DAYS)),
    pick=st.integers(0, 1),
    size=st.sampled_from([Window.HOUR, Window.DAY, Window.MONTH]),
    start=st.integers(0, 40 * 4),
    length=st.integers(1, 50 * 4),
    as_of=st.integers(0, 80),
)
async def test_usage_from_rollups_and_tail_is_usage_recomputed_from_events(
    database: Database,
    metrics: list[MetricDefinition],
    steps: list[tuple[str, Any]],
    zone_name: str,
    pick: int,
    size: Window,
    start: int,
    length: int,
    as_of: int,
) -> None:
    day = DAYS[zone_name][pick % len(DAYS[zone_name])]
    world = World(PostgresEventStore(database), database, day)
    begin = day + timedelta(minutes=15 * start)
    interval = Interval(begin, begin + timedelta(minutes=15 * length))
    for definition in metrics:
        await world.add_metric(definition)
    for action, argument in steps:
        match action:
            case "append":
                await world.append(argument)
            case "roll up":
                await world.store.roll_up(day, limit=argument)
            case "void":
                await world.correct(argument, None)
            case "amend":
                await world.correct(*argument)
            case "add metric":
                await world.add_metric(argument)
        await world.check(interval, size, zone_name, day + timedelta(hours=as_of))
    while (await world.store.roll_up(day)).more:
        pass
    await world.check(interval, size, zone_name, day + timedelta(hours=as_of))
    await world.retire()
