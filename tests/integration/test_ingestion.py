"""What ingestion promises: durable once, exact, and a bad event spoils nothing but itself."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.billing.teams.registration import register_teams
from tallystick.billing.teams.service import Teams
from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.core.clock import Interval, ManualClock
from tallystick.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from tallystick.core.money import EXACT
from tallystick.core.settings import Settings
from tallystick.metering.dead_letters.models import LetterFilter
from tallystick.metering.decoding import decode
from tallystick.metering.definitions import definition_to_json
from tallystick.metering.ingestion import Outcome
from tallystick.metering.models import Aggregation, EventFilter, MetricDefinition
from tallystick.metering.service import Metering
from tallystick.metering.usage import UsageQuestion
from tallystick.storage.database import Database

MARCH = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
CALLS = MetricDefinition("calls", Aggregation.SUM, "call", event_name="api_call")
LEVEL = MetricDefinition("level", Aggregation.TIME_WEIGHTED, "GB-hour", event_name="disk", value_unit="GB")


@pytest.fixture
async def metering(database: Database, clock: ManualClock) -> AsyncIterator[Metering]:
    """Metering with the metrics above and the teams acme and globex."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO teams (id, name, created_at) VALUES ('acme', 'A', now()), ('globex', 'G', now())")
        for definition in (CALLS, LEVEL):
            await add_metric(database, definition)
    async with Metering.open(database, Settings(), clock) as opened:
        yield opened


async def add_metric(database: Database, definition: MetricDefinition) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO metrics VALUES (%s, %s, %s, now())", [definition.name, definition.aggregation, definition.unit]
        )
        await tx.execute(
            "INSERT INTO metric_versions (metric, definition, effective_from, recorded_at) "
            "VALUES (%s, %s, '-infinity', now())",
            [definition.name, json.dumps(definition_to_json(definition))],
        )
        await tx.execute("INSERT INTO catalogue_revisions (source, applied_at) VALUES ('', now())")


def event(key: str | None = None, **fields: Any) -> dict[str, Any]:
    sent = {"team_id": "acme", "event_name": "api_call", "timestamp": "2026-03-10T10:00:00Z", **fields}
    return sent if key is None else {**sent, "idempotency_key": key}


async def send(metering: Metering, *events: dict[str, Any]) -> Outcome:
    return await metering.ingestor.submit(decode(json.dumps(events).encode(), metering.limits.now()))


async def used(metering: Metering, metric: str = "calls", team: str = "acme") -> Decimal | None:
    ((usage,),) = await metering.usage.read([UsageQuestion(metric, team, [MARCH])])
    return usage.quantity


def codes(outcome: Outcome) -> list[tuple[int, str]]:
    return [(rejected.position, rejected.code) for rejected in outcome.rejections]


async def test_a_resend_with_another_timestamp_counts_once(metering: Metering) -> None:
    assert (await send(metering, event("k", quantity=3))).accepted == 1
    again = await send(metering, event("k", quantity=3, timestamp="2009-01-01T00:00:00Z"))
    assert (again.accepted, again.duplicates, codes(again)) == (0, 1, [])
    assert await used(metering) == 3


async def test_the_same_key_in_two_teams_is_two_events(metering: Metering) -> None:
    outcome = await send(metering, event("k"), event("k", team_id="globex"))
    assert outcome.accepted == 2


async def test_the_same_key_with_other_content_counts_once_and_is_reported(metering: Metering) -> None:
    await send(metering, event("k", quantity=3))
    again = await send(metering, event("k", quantity=4), event("new"))
    assert (again.accepted, again.duplicates, codes(again)) == (1, 1, [(0, "conflict")])
    assert await used(metering) == 4


async def test_repeats_within_a_request_count_once(metering: Metering) -> None:
    outcome = await send(metering, event("k"), event("k"), event("k", quantity=2))
    assert (outcome.accepted, outcome.duplicates, codes(outcome)) == (1, 2, [(2, "conflict")])


async def test_metadata_in_another_order_is_the_same_content(metering: Metering) -> None:
    await send(metering, event("k", metadata={"a": 1, "b": {"c": 2, "d": 3}}))
    again = await send(metering, event("k", metadata={"b": {"d": 3, "c": 2}, "a": 1}))
    assert (again.duplicates, codes(again)) == (1, [])


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"team_id": "nobody"}, "unknown_team", "team_id"),
        ({"team_id": ""}, "invalid_team_id", "team_id"),
        ({"team_id": 7}, "invalid_team_id", "team_id"),
        ({"quantity": "NaN"}, "invalid_quantity", "quantity"),
        ({"quantity": "1e20"}, "invalid_quantity", "quantity"),
        ({"quantity": "0.0000000000000000001"}, "invalid_quantity", "quantity"),
        ({"quantity": "many"}, "invalid_quantity", "quantity"),
        ({"quantity": -1}, "negative_quantity", "quantity"),
        ({"quantity": True}, "invalid_quantity", "quantity"),
        ({"unit": "token"}, "unit_mismatch", "unit"),
        ({"timestamp": "2026-03-15T13:00:01Z"}, "timestamp_in_future", "timestamp"),
        ({"timestamp": "1999-12-31T23:59:59Z"}, "timestamp_too_old", "timestamp"),
        ({"timestamp": "2026-03-10T10:00:00"}, "invalid_timestamp", "timestamp"),
        ({"timestamp": "yesterday"}, "invalid_timestamp", "timestamp"),
        ({"metadata": [1]}, "invalid_metadata", "metadata"),
        ({"metadata": {f"k{i}": 1 for i in range(51)}}, "metadata_too_large", "metadata"),
        ({"metadata": {"k": "x" * 16_384}}, "metadata_too_large", "metadata"),
        ({"metadata": {"k": "a\x00b"}}, "invalid_metadata", "metadata"),
        ({"idempotency_key": "k" * 256}, "invalid_idempotency_key", "idempotency_key"),
        ({"idempotency_key": ""}, "invalid_idempotency_key", "idempotency_key"),
        ({"user_id": "a\nb"}, "invalid_user_id", "user_id"),
        ({"quantitiy": 1}, "unknown_field", "quantitiy"),
    ],
)
async def test_a_bad_event_is_rejected_alone_and_kept(
    metering: Metering, fields: dict[str, Any], code: str, field: str
) -> None:
    outcome = await send(metering, event("a"), event("bad") | fields, event("b"))
    assert outcome.accepted == 2
    (rejected,) = outcome.rejections
    assert (rejected.position, rejected.code, rejected.field) == (1, code, field)
    (letter,) = await metering.dead_letters.list()
    assert (letter.code, json.loads(letter.body)) == (code, event("bad") | fields)


@pytest.mark.parametrize(
    "metadata", [b'{"a":"\\ud800"}', b'{"a":NaN}', b'{"a":"\xff"}', b'{"a":1e99999}', b"[" * 9000 + b"]" * 9000]
)
async def test_an_event_that_is_no_proper_json_does_not_take_its_neighbours_with_it(
    metering: Metering, metadata: bytes
) -> None:
    good = b'{"team_id":"acme","event_name":"api_call"}'
    body = b"[%b, %b,%b]" % (good, good[:-1] + b',"metadata":' + metadata + b"}", good)
    outcome = await metering.ingestor.submit(decode(body, metering.limits.now()))
    assert (outcome.accepted, [position for position, _ in codes(outcome)]) == (2, [1])


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[", b"{", b'[{"team_id":1}', b"[1,]", b"\xff\xfe", b"[" * 100_000, b"nul"]
)
async def test_a_body_that_can_not_be_read_is_refused_whole(metering: Metering, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode(body, metering.limits.now())


async def test_quantities_and_metadata_keep_every_digit(metering: Metering) -> None:
    exact = "12345678901234567890.123456789012345678"
    body = (
        '{"team_id":"acme","event_name":"api_call","idempotency_key":"k","timestamp":"2026-03-10T10:00:00Z",'
        f'"quantity":{exact},"metadata":{{"ratio":0.1000000000000000000000000000000001}}}}'
    )
    await metering.ingestor.submit(decode(body.encode(), metering.limits.now()))
    assert await used(metering) == Decimal(exact)
    (stored,) = (await metering.store.events(EventFilter(team_id="acme"), limit=1)).events
    assert stored.metadata == '{"ratio": 0.1000000000000000000000000000000001}'


async def test_an_event_of_no_metric_is_stored_and_counts_once_a_metric_is_added(
    metering: Metering, database: Database
) -> None:
    await send(metering, event("a", event_name="upload", metadata={"bytes": 10}), event("b", event_name="upload"))
    while (await metering.store.roll_up(MARCH.end)).more:
        pass
    await add_metric(database, MetricDefinition("bytes", Aggregation.SUM, "byte", event_name="upload", value="bytes"))
    ((before,),) = await metering.usage.read([UsageQuestion("bytes", "acme", [MARCH])])
    while (await metering.store.roll_up(MARCH.end)).more:
        pass
    ((after,),) = await metering.usage.read([UsageQuestion("bytes", "acme", [MARCH])])
    assert before == after
    assert (after.quantity, after.events, after.unvalued) == (Decimal(10), 2, 1)


async def test_a_field_with_a_nul_in_its_name_spoils_nothing_and_is_kept(metering: Metering) -> None:
    bad = b'{"team_id":"acme","event_name":"api_call","a\\u0000b":1}'
    body = b'[{"team_id":"acme","event_name":"api_call","quantity":5},' + bad + b"]"
    others = [send(metering, event(f"o{i}")) for i in range(20)]
    poisoned, *good = await asyncio.gather(metering.ingestor.submit(decode(body, metering.limits.now())), *others)
    assert (poisoned.accepted, codes(poisoned)) == (1, [(1, "unknown_field")])
    assert all(outcome.accepted == 1 for outcome in good)
    (letter,) = await metering.dead_letters.list()
    assert (letter.field, letter.body) == ("a\\u0000b", bad)


async def test_a_long_name_is_not_echoed_whole(metering: Metering) -> None:
    (rejected,) = (await send(metering, event("a", **{"x" * 100_000: 1}))).rejections
    assert len(rejected.message) < 500


@pytest.mark.parametrize("sent", ["1e3", ".5", "5.", "+7", "-0", "1E-7", "0012"])
async def test_a_number_is_spelled_the_same_way_in_quantity_and_in_metadata(
    metering: Metering, database: Database, sent: str
) -> None:
    await add_metric(database, MetricDefinition("size", Aggregation.SUM, "x", event_name="api_call", value="size"))
    assert (await send(metering, event("a", quantity=sent, metadata={"size": sent}))).accepted == 1
    assert await used(metering) == await used(metering, "size") == Decimal(sent)


@pytest.mark.parametrize("sent", [" 1", "1_000", "１２", "0x10", "", "1e", None, [1], {}, "infinity"])
async def test_what_is_no_number_is_none_in_quantity_nor_in_metadata(
    metering: Metering, database: Database, sent: Any
) -> None:
    await add_metric(database, MetricDefinition("size", Aggregation.SUM, "x", event_name="upload", value="size"))
    outcome = await send(metering, event("a", quantity=sent), event("b", event_name="upload", metadata={"size": sent}))
    assert codes(outcome) == [(0, "invalid_quantity")]
    ((usage,),) = await metering.usage.read([UsageQuestion("size", "acme", [MARCH])])
    assert (usage.quantity, usage.unvalued) == (Decimal(0), 1)


async def test_digits_past_microseconds_are_cut_off_and_move_no_event_into_the_next_month(metering: Metering) -> None:
    await send(metering, event("a", timestamp="2026-02-28T23:59:59.9999999Z"))
    assert await used(metering) == 0
    (found,) = (await metering.store.events(EventFilter(), limit=1)).events
    assert found.occurred_at == datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)


async def test_metadata_is_measured_as_text_and_not_as_json_escapes_it(metering: Metering) -> None:
    assert (await send(metering, event("a", metadata={"k": "я" * 8000}))).accepted == 1
    assert codes(await send(metering, event("b", metadata={"k": "я" * 8200}))) == [(0, "metadata_too_large")]


async def test_a_body_may_begin_with_a_byte_order_mark(metering: Metering) -> None:
    body = b"\xef\xbb\xbf" + json.dumps([event("a")]).encode()
    assert (await metering.ingestor.submit(decode(body, metering.limits.now()))).accepted == 1


async def test_every_repeat_with_other_content_than_was_stored_is_a_conflict(metering: Metering) -> None:
    await send(metering, event("k", quantity=1))
    outcome = await send(metering, *(event("k", quantity=quantity) for quantity in (2, 2, 1, 3)))
    assert (outcome.accepted, outcome.duplicates) == (0, 4)
    assert codes(outcome) == [(0, "conflict"), (1, "conflict"), (3, "conflict")]


async def test_an_event_for_a_team_that_the_key_is_not_for_is_the_sender_s_dead_letter(metering: Metering) -> None:
    decoded = decode(json.dumps(event("a")).encode(), metering.limits.now())
    assert codes(await metering.ingestor.submit(decoded, allowed_team="globex")) == [(0, "forbidden_team")]
    assert await metering.dead_letters.list(LetterFilter("acme")) == []
    assert len(await metering.dead_letters.list(LetterFilter("globex"))) == 1


async def test_levels_keep_every_digit(metering: Metering) -> None:
    await send(
        metering,
        event("a", event_name="disk", quantity="0.123456789012345678", timestamp="2026-03-05T00:00:00.123457Z"),
    )
    await send(metering, event("b", event_name="disk", quantity=0, timestamp="2026-03-06T00:00:00Z"))
    usage = await used(metering, "level")
    assert usage is not None
    assert EXACT.multiply(usage, Decimal(3600)) == EXACT.multiply(
        Decimal("0.123456789012345678"), Decimal("86399.876543")
    )


async def test_many_writers_of_the_same_events_count_each_once(metering: Metering) -> None:
    sent = [event(f"k{i}", quantity=i) for i in range(200)]
    rounds = [send(metering, *sent[i % 7 :: 2], *reversed(sent)) for i in range(12)]
    outcomes = await asyncio.gather(*rounds)
    assert sum(outcome.accepted for outcome in outcomes) == 200
    assert await used(metering) == sum(range(200))


async def test_over_capacity_is_refused_at_once_and_nothing_of_it_is_stored(
    database: Database, clock: ManualClock, metering: Metering
) -> None:
    async with Metering.open(database, Settings(ingest_queue_events=50), clock) as small:
        rounds = [send(small, *(event(f"{i}-{j}") for j in range(20))) for i in range(20)]
        outcomes = await asyncio.gather(*rounds, return_exceptions=True)
    stored = [o for o in outcomes if isinstance(o, Outcome)]
    refused = [o for o in outcomes if isinstance(o, Unavailable)]
    assert len(stored) + len(refused) == 20
    assert refused
    assert await used(metering) == sum(outcome.accepted for outcome in stored)


async def test_a_void_event_no_longer_counts_and_stays_on_record(metering: Metering) -> None:
    await send(metering, event("a", quantity=5), event("b", quantity=7))
    (found,) = (await metering.store.events(EventFilter(idempotency_key="a"), limit=2)).events
    first = await metering.corrections.void(found.id, "test data", "key:X")
    assert await used(metering) == 7
    assert (await metering.corrections.void(found.id, "again", "key:Y")) == first
    stored = await metering.store.event(found.id)
    assert stored is not None
    assert (stored.quantity, stored.correction) == (Decimal(5), "void")
    with pytest.raises(Conflict, match="void"):
        await metering.corrections.amend(found.id, {"quantity": 1}, "no", "key:X")


async def test_an_amended_event_counts_with_its_new_content_once(metering: Metering) -> None:
    await send(metering, event("a", quantity=5), event("b", quantity=7))
    (found,) = (await metering.store.events(EventFilter(idempotency_key="a"), limit=2)).events
    await metering.corrections.amend(found.id, {"quantity": Decimal("5.5")}, "typo", "key:X")
    assert await used(metering) == Decimal("12.5")
    second = await metering.corrections.amend(found.id, {"timestamp": "2026-02-10T10:00:00Z"}, "month", "key:X")
    assert await used(metering) == 7
    assert second.replacement is not None
    assert (second.replacement.quantity, second.replacement.amends) == (Decimal("5.5"), found.id)
    assert (await send(metering, event("a", quantity=5))).duplicates == 1
    assert await used(metering) == 7


async def test_an_amendment_is_checked_like_an_event(metering: Metering) -> None:
    await send(metering, event("a", quantity=5))
    (found,) = (await metering.store.events(EventFilter(), limit=2)).events
    for changes in (
        {"quantity": -1},
        {"quantity": None},
        {"timestamp": None},
        {"unit": "token"},
        {"team_id": "globex"},
        {},
        {"metadata": 5},
    ):
        with pytest.raises(InvalidInput):
            await metering.corrections.amend(found.id, changes, "x", "key:X")
    for reason in ("a\x00b", "\ud800", ""):
        with pytest.raises(InvalidInput):
            await metering.corrections.void(found.id, reason, "key:X")
    assert await used(metering) == 5
    with pytest.raises(NotFound):
        await metering.corrections.void(found.id.__class__(int=0), "x", "key:X")


async def test_a_team_made_a_moment_ago_is_known(metering: Metering, database: Database) -> None:
    assert codes(await send(metering, event("a", team_id="new"))) == [(0, "unknown_team")]
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO teams (id, name, created_at) VALUES ('new', 'N', now())")
    assert (await send(metering, event("a", team_id="new"))).accepted == 1


async def test_unknown_teams_are_registered_where_that_is_on(database: Database, clock: ManualClock) -> None:
    defaults = "defaults: {time_zone: Asia/Kathmandu, plan: p}\nplans: {p: {currency: USD, prices: []}}"
    await apply(database, parse(f"version: 1\n{defaults}"), clock)
    async with Metering.open(database, Settings(), clock, register_teams) as metering:
        assert (await send(metering, event("a", team_id="b"), event("b", team_id="a"))).accepted == 2
    team = await Teams(database, clock).get("a")
    (subscription,) = await Teams(database, clock).subscriptions("a", limit=9)
    assert (team.time_zone, subscription.plan) == ("Asia/Kathmandu", "p")
    assert subscription.starts_at == datetime(2026, 3, 14, 18, 15, tzinfo=UTC)


async def test_pages_of_events_show_each_once_in_order(metering: Metering) -> None:
    at = [f"2026-03-{1 + i % 14:02}T10:00:00Z" for i in range(45)]
    await send(metering, *(event(f"k{i}", timestamp=at[i]) for i in range(45)))
    for wanted in (EventFilter(team_id="acme"), EventFilter()):
        seen, after = [], None
        while True:
            page = await metering.store.events(wanted, limit=10, after=after)
            seen += [found.idempotency_key for found in page.events]
            if (after := page.after) is None:
                break
        assert sorted(seen) == sorted(f"k{i}" for i in range(45))
    times = [e.occurred_at for e in (await metering.store.events(EventFilter(team_id="acme"), limit=45)).events]
    assert times == sorted(times, reverse=True)


async def test_months_are_created_ahead_and_for_events_long_ago(metering: Metering, database: Database) -> None:
    await send(metering, event("old", timestamp="2003-07-31T23:59:59.999999Z"))
    async with database.snapshot() as tx:
        rows = await (
            await tx.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_events'::regclass"
            )
        ).fetchall()
    assert {name for (name,) in rows} == {
        "usage_events_2003_07", *(f"usage_events_2026_{month:02}" for month in (3, 4, 5, 6)),
    }  # fmt: skip
