"""`GET /api/v1/meters/{slug}/query`: what readers made for OpenMeter ask, answered with the numbers of the bill."""

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.money import EXACT
from tallystick.http.principal import Scope
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened

METRICS = """
version: 1
metrics:
  bytes: {event: request, aggregation: sum, value: metadata.bytes, unit: byte, dimensions: [region, path]}
  requests: {event: request, aggregation: count, unit: request, dimensions: [region, path]}
  biggest: {event: request, aggregation: max, value: metadata.bytes, unit: byte, dimensions: [region]}
  smallest: {event: request, aggregation: min, value: metadata.bytes, unit: byte, dimensions: [region]}
  mean: {event: request, aggregation: average, value: metadata.bytes, unit: byte, dimensions: [region]}
  last: {event: request, aggregation: latest, value: metadata.bytes, unit: byte, dimensions: [region]}
  paths: {event: request, aggregation: unique_count, value: metadata.path, unit: path, dimensions: [region]}
  p50: {event: request, aggregation: percentile, percentile: 50, value: metadata.bytes, unit: b, dimensions: [region]}
  stored: {event: stored, aggregation: time_weighted, value_unit: GB, per: hour, dimensions: [region]}
"""
TEAMS = ("acme", "globex", "initech")


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.apply(METRICS)
        for team in TEAMS:
            await house.team(team, plan=None)
        yield house


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


async def send(client: httpx.AsyncClient, events: Iterable[Mapping[str, Any]]) -> None:
    numbered = [
        {"specversion": "1.0", "id": str(i), "source": "test", "type": "request", "subject": "acme"} | dict(event)
        for i, event in enumerate(events)
    ]
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = await client.post("/api/v1/events", content=json.dumps(numbered), headers=headers)
    assert answer.status_code == 204, answer.text


async def query(client: httpx.AsyncClient, slug: str, *pairs: tuple[str, str], **more: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/meters/{slug}/query", params=[*pairs, *more.items()])
    assert answer.status_code == 200, answer.text
    return dict(json.loads(answer.text, parse_float=Decimal, parse_int=Decimal))


def values(result: Mapping[str, Any], *keys: str) -> dict[Any, Decimal]:
    """The value of each row under what tells the rows apart."""
    found = {}
    for row in result["data"]:
        labels = tuple(row[key] if key in row else row["groupBy"][key] for key in keys)
        found[labels[0] if len(labels) == 1 else labels] = row["value"]
    assert len(found) == len(result["data"])
    return found


MARCH = {"from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}
SMALL = [
    {"time": "2026-03-05T00:00:00Z", "data": {"bytes": "100", "region": "eu", "path": "/a"}},
    {"time": "2026-03-05T00:01:00Z", "data": {"bytes": 0.1, "region": "us", "path": "/b"}},
    {"time": "2026-03-05T00:59:59.999999Z", "data": {"bytes": 0.2, "region": "eu"}, "subject": "globex"},
    {"time": "2026-03-06T23:59:59Z", "data": {"bytes": 7, "path": "/a"}},
]


async def test_without_windows_the_whole_interval_is_one_row_over_all_subjects(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    assert await query(client, "bytes", **MARCH) == MARCH | {
        "data": [
            {
                "value": Decimal("107.3"),
                "windowStart": MARCH["from"],
                "windowEnd": MARCH["to"],
                "subject": None,
                "groupBy": {},
            }
        ]
    }


async def test_an_open_interval_is_from_the_minute_of_the_first_event_to_that_of_the_last(
    client: httpx.AsyncClient,
) -> None:
    await send(client, SMALL)
    result = await query(client, "bytes")
    assert set(result) == {"data"}
    (row,) = result["data"]
    assert (row["windowStart"], row["windowEnd"]) == ("2026-03-05T00:00:00Z", "2026-03-07T00:00:00Z")
    assert row["value"] == Decimal("107.3")
    by_minute = await query(client, "bytes", windowSize="MINUTE")
    assert values(by_minute, "windowStart") == {
        "2026-03-05T00:00:00Z": 100,
        "2026-03-05T00:01:00Z": Decimal("0.1"),
        "2026-03-05T00:59:00Z": Decimal("0.2"),
        "2026-03-06T23:59:00Z": 7,
    }
    (row,) = (await query(client, "requests", subject="globex"))["data"]
    assert (row["windowStart"], row["windowEnd"], row["value"]) == (
        "2026-03-05T00:59:00Z",
        "2026-03-05T01:00:00Z",
        1,
    )
    assert (await query(client, "requests", subject="initech"))["data"] == []
    assert (await query(client, "requests", **{"from": "2026-03-07T00:00:00Z"}))["data"] == []


async def test_from_is_inclusive_and_to_exclusive(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    bounds = {"from": "2026-03-05T00:01:00Z", "to": "2026-03-06T23:59:59Z"}
    assert [row["value"] for row in (await query(client, "requests", **bounds))["data"]] == [2]


async def test_an_interval_may_reach_further_than_there_can_be_usage(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    ages = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    (row,) = (await query(client, "requests", **ages))["data"]
    assert (row["windowStart"], row["windowEnd"], row["value"]) == (*ages.values(), 4)
    by_month = await query(client, "requests", windowSize="MONTH", **ages)
    assert values(by_month, "windowStart") == {"2026-03-01T00:00:00Z": 4}
    assert (await query(client, "requests", windowSize="DAY", **{"from": "9999-01-01T00:00:00Z"}))["data"] == []


async def test_windows_in_which_nothing_happened_are_absent(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    by_hour = await query(client, "requests", windowSize="HOUR", **MARCH)
    assert by_hour["windowSize"] == "HOUR"
    assert values(by_hour, "windowStart") == {"2026-03-05T00:00:00Z": 3, "2026-03-06T23:00:00Z": 1}


async def test_a_window_that_the_interval_cuts_is_told_whole(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    cut = {"from": "2026-03-05T00:00:30Z", "to": "2026-03-05T12:00:00Z"}
    (row,) = (await query(client, "requests", windowSize="DAY", **cut))["data"]
    assert (row["windowStart"], row["windowEnd"], row["value"]) == ("2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", 2)


async def test_subject_picks_teams_and_keeps_them_apart(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    assert values(await query(client, "requests", groupBy="subject"), "subject") == {"acme": 3, "globex": 1}
    assert values(await query(client, "requests", subject="acme"), "subject") == {"acme": 3}
    two = await query(client, "requests", ("subject", "acme"), ("subject", "nobody"), ("subject", "globex"))
    assert values(two, "subject") == {"acme": 3, "globex": 1}
    customers = await query(client, "requests", filterCustomerId="globex")
    assert [(row["subject"], row["customerId"], row["value"]) for row in customers["data"]] == [(None, "globex", 1)]


async def test_dimensions_are_kept_apart_and_an_absent_value_is_null(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    by_both = await query(client, "requests", ("groupBy", "region"), ("groupBy", "path"), **MARCH)
    assert values(by_both, "region", "path") == {("eu", "/a"): 1, ("us", "/b"): 1, ("eu", None): 1, (None, "/a"): 1}
    by_path = await query(client, "requests", ("groupBy", "path"), ("groupBy", "subject"), **MARCH)
    assert values(by_path, "subject", "path") == {("acme", "/a"): 2, ("acme", "/b"): 1, ("globex", None): 1}


FILTERS: list[tuple[Any, int]] = [
    ({}, 4),
    ({"$eq": "eu"}, 2),
    ({"$ne": "eu"}, 2),
    ({"$in": ["us", "asia"]}, 1),
    ({"$nin": ["us", "asia"]}, 3),
    ({"$eq": ""}, 1),
    ({"$in": ["", "us"]}, 2),
    ({"$like": "e%"}, 2),
    ({"$nlike": "_s"}, 3),
    ({"$ilike": "E_"}, 2),
    ({"$nilike": "U%"}, 3),
    ({"$gt": "eu"}, 1),
    ({"$gte": "eu"}, 3),
    ({"$lt": "us"}, 3),
    ({"$lte": "us"}, 4),
    ({"$or": [{"$eq": "us"}, {"$eq": ""}]}, 2),
    ({"$and": [{"$ne": "us"}, {"$like": "%u"}]}, 2),
]


async def test_filters_have_every_documented_operator(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    for document, expected in FILTERS:
        advanced = json.dumps({"region": document})
        result = await query(client, "requests", advancedMeterGroupByFilters=advanced, **MARCH)
        assert [row["value"] for row in result["data"]] == [expected], document
        body = MARCH | {"advancedMeterGroupByFilters": {"region": document}}
        posted = await client.post("/api/v1/meters/requests/query", json=body)
        assert [row["value"] for row in posted.json()["data"]] == [expected]


async def test_a_simple_filter_names_a_dimension_and_its_values(client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    one = ("filterGroupBy[region]", "eu")
    assert values(await query(client, "requests", one, groupBy="path"), "path") == {"/a": 1, None: 1}
    both = await query(client, "requests", one, ("filterGroupBy[path]", "/a"), ("filterGroupBy[region]", "us"))
    assert [row["value"] for row in both["data"]] == [1]
    as_python_spells_it = await query(client, "requests", filterGroupBy="{'region': 'eu'}")
    assert [row["value"] for row in as_python_spells_it["data"]] == [2]
    body = {"filterGroupBy": {"region": ["eu", "us"]}, "subject": ["acme"], "windowSize": "DAY", "groupBy": None}
    posted = (await client.post("/api/v1/meters/requests/query", json=body)).json()
    assert values(posted, "windowStart") == {"2026-03-05T00:00:00Z": 2}


async def test_a_long_value_is_found_by_a_filter(client: httpx.AsyncClient) -> None:
    await send(client, [{"data": {"region": "é" * 200}}, {"data": {"region": "é" * 201}}])
    found = await query(client, "requests", ("filterGroupBy[region]", "é" * 200))
    assert [row["value"] for row in found["data"]] == [1]


BAD: list[tuple[str, list[tuple[str, str]], int, str]] = [
    ("nothing", [], 404, "bytes"),
    ("requests", [("groupBy", "city")], 400, "region, path"),
    ("requests", [("filterGroupBy[city]", "x")], 400, "region, path"),
    ("requests", [("filterGroupBy", "x")], 400, "filterGroupBy[region]=eu"),
    ("requests", [("advancedMeterGroupByFilters", '{"city": {"$eq": "x"}}')], 400, "region, path"),
    ("requests", [("advancedMeterGroupByFilters", "{")], 400, "not valid JSON"),
    ("requests", [("advancedMeterGroupByFilters", "[1]")], 400, "object"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": {"$regex": "x"}}')], 400, "$eq"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": {"$eq": "x", "$ne": "y"}}')], 400, "one operator"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": {"$eq": 1}}')], 400, "takes text"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": {"$eq": "\\u0000"}}')], 400, "NUL"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": {"$in": []}}')], 400, "not empty"),
    ("requests", [("advancedMeterGroupByFilters", '{"region": ' + '{"$and": [' * 9 + "{}" + "]}" * 9 + "}")], 400, "8"),
    (
        "requests",
        [("advancedMeterGroupByFilters", '{"region": {"$eq": "x"}}'), ("filterGroupBy[region]", "x")],
        400,
        "together",
    ),
    ("requests", [("from", "2026-03-05T00:00:00Z"), ("to", "2026-03-05T00:00:00Z")], 400, "before"),
    ("requests", [("from", "2026-03-06T00:00:00Z"), ("to", "2026-03-05T00:00:00Z")], 400, "before"),
    ("requests", [("from", "yesterday")], 400, "from"),
    ("requests", [("to", "2026-03-06")], 400, "to"),
    ("requests", [("windowSize", "WEEK")], 400, "MINUTE, HOUR, DAY, MONTH"),
    ("requests", [("windowTimeZone", "Mars/Olympus")], 400, "IANA"),
    ("requests", [("window_size", "DAY")], 400, "windowSize"),
    ("requests", [("from", "2026-03-05T00:00:00Z"), ("from", "2026-03-05T00:00:00Z")], 400, "more than once"),
    (
        "requests",
        [("windowSize", "MINUTE"), ("from", "2020-01-01T00:00:00Z"), ("to", "2026-01-01T00:00:00Z")],
        400,
        "50000",
    ),
]


async def test_what_does_not_fit_is_refused_and_says_what_does(client: httpx.AsyncClient) -> None:
    for slug, pairs, status, said in BAD:
        answer = await client.get(f"/api/v1/meters/{slug}/query", params=httpx.QueryParams(tuple(pairs)))
        assert answer.status_code == status, (pairs, answer.text)
        assert said in answer.json()["detail"], answer.json()["detail"]
    for body in ("[]", "{", '{"groupBy": "region"}', '{"group_by": []}', '{"from": 5}', '{"filterGroupBy": []}'):
        posted = await client.post("/api/v1/meters/requests/query", content=body)
        assert posted.status_code == 400, (body, posted.text)


async def test_csv_has_the_same_rows(client: httpx.AsyncClient) -> None:
    await send(client, [*SMALL, {"data": {"region": "=1+1", "bytes": 1}, "time": "2026-03-06T00:00:00Z"}])
    answer = await client.get(
        "/api/v1/meters/bytes/query",
        params=[("windowSize", "DAY"), ("groupBy", "region"), ("subject", "acme"), *MARCH.items()],
        headers={"Accept": "text/csv"},
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["window_start", "window_end", "subject", "region", "value"],
        ["2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", "acme", "eu", "100"],
        ["2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z", "acme", "us", "0.1"],
        ["2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z", "acme", "", "7"],
        ["2026-03-06T00:00:00Z", "2026-03-07T00:00:00Z", "acme", "'=1+1", "1"],
    ]


async def test_a_key_for_one_team_sees_that_team_alone(house: House, client: httpx.AsyncClient) -> None:
    await send(client, SMALL)
    async with calling(house, Scope.READ, "globex") as bound:
        assert [row["value"] for row in (await query(bound, "requests"))["data"]] == [1]
        assert values(await query(bound, "requests", subject="globex"), "subject") == {"globex": 1}
        other = await bound.get("/api/v1/meters/requests/query", params=[("subject", "globex"), ("subject", "acme")])
        assert other.status_code == 403
    async with calling(house, Scope.INGEST) as writer:
        assert (await writer.get("/api/v1/meters/requests/query")).status_code == 403


async def test_metrics_are_listed_as_meters(client: httpx.AsyncClient) -> None:
    meters = (await client.get("/api/v1/meters")).json()
    assert [meter["slug"] for meter in meters] == sorted(meter["slug"] for meter in meters)
    mean = next(meter for meter in meters if meter["slug"] == "mean")
    assert mean == (await client.get("/api/v1/meters/mean")).json()
    assert (mean["aggregation"], mean["eventType"], mean["valueProperty"]) == ("AVG", "request", "$.bytes")
    assert mean["groupBy"] == {"region": "$.region"}
    assert (await client.get("/api/v1/meters", params={"page": 2, "pageSize": 2})).json() == meters[2:4]
    assert (await client.get("/api/v1/meters/nothing")).status_code == 404
    assert (await client.get("/api/v1/meters", params={"pageSize": "0"})).status_code == 400


# --- Windows in local time -------------------------------------------------------------------------


async def test_days_of_23_and_25_hours_are_one_window_each(client: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    hours = [datetime(2026, 3, 28, 23, tzinfo=UTC) + timedelta(hours=i) for i in range(48)]
    hours += [datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(hours=i) for i in range(26)]
    await send(client, [{"time": hour.isoformat(), "data": {}} for hour in hours])
    by_day = await query(client, "requests", windowSize="DAY", windowTimeZone="Europe/Berlin")
    assert values(by_day, "windowStart", "windowEnd") == {
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"): 23,
        ("2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z"): 24,
        ("2026-03-30T22:00:00Z", "2026-03-31T22:00:00Z"): 1,
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"): 25,
        ("2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z"): 1,
    }
    by_month = await query(client, "requests", windowSize="MONTH", windowTimeZone="Europe/Berlin")
    assert values(by_month, "windowStart", "windowEnd") == {
        ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"): 48,
        ("2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"): 26,
    }


# --- The law: rows are what the events add up to ---------------------------------------------------


def _number(text: Any) -> Decimal | None:
    return None if text is None else Decimal(str(text))


def _mean(found: Sequence[Decimal]) -> Decimal:
    return EXACT.divide(sum(found, Decimal(0)), Decimal(len(found)))


def _median(found: Sequence[Decimal]) -> Decimal:
    return sorted(found)[(len(found) + 1) // 2 - 1]


BY_HAND: dict[str, Callable[[Sequence[Decimal]], Decimal]] = {
    "bytes": lambda found: sum(found, Decimal(0)),
    "biggest": max,
    "smallest": min,
    "mean": _mean,
    "last": lambda found: found[-1],
    "p50": _median,
}


def by_hand(
    slug: str, events: Sequence[Mapping[str, Any]], *, by_team: bool, by_region: bool, regions: Sequence[str] | None
) -> dict[tuple[Any, ...], Decimal]:
    """The value of each local day, team and region, straight from the events, which are in the order of time."""
    gathered: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for event in events:
        region = event["data"].get("region")
        if regions is None or region in regions:
            day = datetime.fromisoformat(event["time"]).astimezone(ZoneInfo("America/New_York")).date()
            gathered[day, event["subject"] if by_team else None, region if by_region else None].append(event["data"])
    found = {}
    for key, inside in gathered.items():
        amounts = [number for data in inside if (number := _number(data.get("bytes"))) is not None]
        if slug == "requests":
            found[key] = Decimal(len(inside))
        elif slug == "paths":
            found[key] = Decimal(len({data["path"] for data in inside if "path" in data}))
        elif amounts:
            found[key] = BY_HAND[slug](amounts)
    return found


def random_events(seed: int) -> list[dict[str, Any]]:
    rng = random.Random(seed)
    begin = datetime(2026, 3, 5, tzinfo=UTC)  # New York goes to summer time on the 8th
    moments = sorted({begin + timedelta(seconds=rng.randrange(6 * 86_400)) for _ in range(150)})
    events = []
    for moment in moments:
        data: dict[str, Any] = {"path": rng.choice("abc")} if rng.random() < 0.8 else {}
        if rng.random() < 0.9:
            data["bytes"] = rng.choice([str(Decimal(rng.randrange(10**6)).scaleb(-3)), rng.randrange(100)])
        if rng.random() < 0.8:
            data["region"] = rng.choice(["eu", "us"])
        events.append({"time": moment.isoformat(), "subject": rng.choice(TEAMS), "data": data})
    return events


async def test_rows_are_what_the_events_add_up_to(house: House, client: httpx.AsyncClient) -> None:
    events = random_events(5)
    await send(client, events[::2])
    while (await house.metering.store.roll_up(house.clock.now())).more:
        pass
    numbered = [{"id": f"later-{i}"} | event for i, event in enumerate(events[1::2])]
    await send(client, numbered)  # stay in the tail
    zone = {"windowSize": "DAY", "windowTimeZone": "America/New_York"}
    for slug in ("requests", "paths", *BY_HAND):
        for by_team, by_region, regions in ((0, 0, None), (1, 0, None), (0, 1, None), (0, 0, ["eu"]), (1, 1, ["us"])):
            groups = [("groupBy", name) for name, on in (("subject", by_team), ("region", by_region)) if on]
            filters = [("filterGroupBy[region]", region) for region in regions or ()]
            result = await query(client, slug, *groups, *filters, **zone)
            found = {
                (
                    datetime.fromisoformat(row["windowStart"]).astimezone(ZoneInfo("America/New_York")).date(),
                    row["subject"],
                    row["groupBy"].get("region"),
                ): row["value"]
                for row in result["data"]
            }
            expected = by_hand(slug, events, by_team=bool(by_team), by_region=bool(by_region), regions=regions)
            assert found == expected, (slug, by_team, by_region, regions)


async def test_levels_of_several_teams_add_up(client: httpx.AsyncClient, clock: ManualClock) -> None:
    clock.set(datetime(2026, 3, 5, 6, tzinfo=UTC))
    await send(
        client,
        [
            {"type": "stored", "time": "2026-03-05T00:30:00Z", "data": {"quantity": 10, "region": "eu"}},
            {"type": "stored", "time": "2026-03-05T02:00:00Z", "data": {"quantity": 4, "region": "eu"}},
            {"type": "stored", "time": "2026-03-05T00:00:00Z", "subject": "globex", "data": {"quantity": 1}},
        ],
    )
    by_hour = await query(client, "stored", windowSize="HOUR")
    assert list(values(by_hour, "windowStart").values()) == [6, 11, 5, 5, 5, 5]
    assert [row["value"] for row in (await query(client, "stored"))["data"]] == [37]


# --- Published cases --------------------------------------------------------------------------------


VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "usage_query_a.json"
AGGREGATIONS = {"AVG": "average"}
NOT_OURS = {
    "Should aggregate events as if they were windowed - second window": "bounds are exact here, never cut to seconds",
}


def cases() -> list[Any]:
    if not VECTORS.is_file():
        return [
            pytest.param(None, marks=pytest.mark.skip(reason="the published cases (../shared/vectors) are not here"))
        ]
    found = [case for case in json.loads(VECTORS.read_text()) if case["kind"] == "meter_query"]
    return [_case(number, case) for number, case in enumerate(found)]


def _case(number: int, case: Mapping[str, Any]) -> Any:
    name = case["source"].rpartition(":")[2]
    reason = NOT_OURS.get(name.partition("/")[2])
    return pytest.param(case, marks=[pytest.mark.skip(reason=reason)] if reason else [], id=f"{number} {name}")


@pytest.mark.parametrize("case", cases())
async def test_published_cases_come_out_as_published(
    house: House, client: httpx.AsyncClient, case: Mapping[str, Any]
) -> None:
    meter = case["meter"]
    aggregation = AGGREGATIONS.get(meter["aggregation"], meter["aggregation"].lower())
    value = meter["value_property"].replace("$.", "metadata.")
    await house.apply(
        f"version: 1\nmetrics:\n  m: {{event: request, aggregation: {aggregation}, value: {value}, unit: unit}}\n"
    )
    for team in {event.get("subject", "acme") for event in case["events"]} - set(TEAMS):
        await house.team(team, plan=None)
    await send(client, case["events"])
    names = {"from": "from", "to": "to", "window_size": "windowSize", "window_time_zone": "windowTimeZone"}
    result = await query(client, "m", *[(names[name], text) for name, text in case["query"].items()])
    expected = [(row["window_start"], row["window_end"], row["value"]) for row in case["expected_rows"]]
    assert [(row["windowStart"], row["windowEnd"]) for row in result["data"]] == [row[:2] for row in expected]
    assert [float(row["value"]) for row in result["data"]] == pytest.approx([row[2] for row in expected], rel=1e-15)
