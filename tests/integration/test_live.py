"""Streams: an event that is tracked moves what is shown, for however many look, in whichever process."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tallystick.billing.current import Present
from tallystick.billing.report import ReportRequest
from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.core.clock import SystemClock
from tallystick.core.errors import Unavailable
from tallystick.core.settings import Settings
from tallystick.live import hub as hubs
from tallystick.live.hub import Hub
from tallystick.live.listener import MOST_ALERTS, Listener
from tallystick.live.signals import LOST, read
from tallystick.storage.database import Database
from tests.integration.billing_setup import CATALOGUE, House, opened
from tests.integration.test_server import Served, serving

SOON = 2.0
PATIENCE = 30.0


# --- One process, looked at from inside -------------------------------------------------------------


@pytest.fixture
async def house(database, clock) -> AsyncIterator[House]:
    async with opened(database, clock) as each:
        yield each


@asynccontextmanager
async def hub_of(house: House, **options: Any) -> AsyncIterator[Hub]:
    hub = Hub(house.database, Present(house.database, house.metering.usage), house.clock, **options)
    try:
        yield hub
    finally:
        hub.close()
        await asyncio.gather(*hub._tasks, return_exceptions=True)


def told(message: bytes) -> dict[str, list[Any]]:
    """The events of a message, by name."""
    found: dict[str, list[Any]] = {}
    for block in message.decode().strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        if "event" in lines:
            found.setdefault(lines["event"], []).append(json.loads(lines["data"]))
    return found


async def shown(listener: Listener, house: House, events: int) -> Any:
    """What is shown once so many events are counted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for usage in told(await listener.next(house.clock, PATIENCE)).get("usage", []):
                if usage["metrics"][0]["events"] == events:
                    return usage


async def test_what_is_shown_is_what_the_report_says(house):
    await house.team(plan="changing")
    await house.use(12_345, "2026-03-05T00:00:00Z")
    await house.use(7, "2026-03-12T00:00:00Z", event_name="load", metadata={"ms": "12.5"})
    await house.metering.store.roll_up(house.clock.now())
    async with hub_of(house) as hub:
        with hub.listening("acme") as listener:
            usage = await shown(listener, house, 1)
    report = await house.billing.reports.report(ReportRequest("acme"))
    assert usage["cost"] == format(report.total, "f")
    assert usage["projected"] == format(report.projected_total, "f")
    assert [(each["metric"], each["quantity"], each["cost"]) for each in usage["metrics"]] == [
        (each.definition.name, f"{each.usage.normalize():f}", format(each.cost.total, "f") if each.cost else None)
        for each in report.metrics
    ]


async def test_a_team_is_computed_once_however_many_look(house):
    await house.team()
    async with hub_of(house) as hub:
        listeners = [hub.listening("acme") for _ in range(200)]
        entered = [each.__enter__() for each in listeners]
        await house.use(5)
        await house.metering.store.roll_up(house.clock.now())
        for listener in entered:
            assert (await shown(listener, house, 1))["metrics"][0]["quantity"] == "5"
        assert hub.computed <= 3  # when the first came, when the connection was made, and after the roll-up
        for each in listeners:
            each.__exit__(None, None, None)
        assert (hub.streams, hub._shown, hub._due) == (0, {}, {})


async def test_who_reads_slowly_is_told_the_latest_alone(clock):
    listener = Listener("acme")
    for number in range(10_000):
        listener.show(b"event: usage\ndata: %d\n\n" % number)
        listener.alert(b"event: alert\ndata: %d\n\n" % number)
        listener.touch({f"team-{number % 7}"}, 1)
    found = told(await listener.next(clock, 1))
    assert found["usage"] == [9_999]
    assert found["alert"] == list(range(10_000 - MOST_ALERTS, 10_000))
    assert (found["touched"][0]["events"], len(found["touched"][0]["teams"])) == (10_000, 7)
    assert await listener.next(clock, 0.01) == b""


async def test_there_is_room_for_so_many_streams_and_no_more(house):
    async with hub_of(house, most=2) as hub:
        with hub.listening(None), hub.listening("acme"), pytest.raises(Unavailable, match="MAX_STREAMS"):
            hub.listening("acme").__enter__()
        with hub.listening(None):
            assert hub.streams == 1
        hub.close()
        with pytest.raises(Unavailable, match="stopping"):
            hub.admit()


async def test_a_connection_that_is_lost_is_made_again_and_nothing_is_missed(house, monkeypatch):
    await house.team()
    async with hub_of(house) as hub:
        with hub.listening("acme") as listener:
            await shown(listener, house, 0)
            await asyncio.sleep(0.3)
            async with house.database.statements() as connection:
                await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                         "WHERE query LIKE 'LISTEN%' AND datname = current_database()")  # fmt: skip
            await house.use(5)
            await house.metering.store.roll_up(house.clock.now())
            assert (await shown(listener, house, 1))["metrics"][0]["quantity"] == "5"


async def test_many_teams_in_one_roll_up_are_all_told(house):
    names = [f"team-{'é' * 100}-{number}" for number in range(200)]
    for name in names:
        await house.team(name, plan=None)
    async with hub_of(house) as hub:
        with hub.listening(None) as listener:
            await asyncio.sleep(0.3)
            async with house.database.transaction() as tx:
                await tx.execute("INSERT INTO rollup_touched (team_id, touched_at) "
                                 "SELECT unnest(%s::text[]), now()", [names])  # fmt: skip
            seen: set[str] = set()
            async with asyncio.timeout(PATIENCE):
                while seen < set(names):
                    for each in told(await listener.next(house.clock, PATIENCE)).get("touched", []):
                        seen |= set(each["teams"])


@pytest.mark.parametrize("payload", ["", "[]", "7", '{"events": "many"}', '{"teams": 7}', "null"])
def test_a_message_that_can_not_be_read_means_look_at_everything(payload):
    assert read(payload) == LOST


# --- Servers ----------------------------------------------------------------------------------------


TEAMS = """
teams:
  acme: {plan: standard}
  globex: {plan: standard}
"""


@pytest.fixture
async def furnished(database_url) -> str:
    async with await Database.open(Settings(database_url=database_url)) as database:
        await apply(database, parse(CATALOGUE + TEAMS), SystemClock(), allow_retroactive=True)
    return str(database_url)


class Stream:
    """One stream, read as it comes."""

    def __init__(self, response: httpx.Response) -> None:
        self._until = time.monotonic() + PATIENCE
        self._blocks = self._read(response.iter_bytes())

    def _read(self, parts: Iterator[bytes]) -> Iterator[tuple[str, Any]]:
        text = b""
        for part in parts:
            assert time.monotonic() < self._until, "what was waited for does not come"
            text += part
            while b"\n\n" in text:
                block, _, text = text.partition(b"\n\n")
                for name, found in told(block).items():
                    yield name, found[0]

    def next(self, name: str) -> Any:
        """The data of the next event of that name."""
        return next(data for found, data in self._blocks if found == name)

    def rest(self) -> list[str]:
        """The names of all that comes until the stream ends."""
        return [name for name, _ in self._blocks]


@contextmanager
def stream(served: Served, query: str = "", key: str | None = None) -> Iterator[Stream]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.stream("GET", f"{served.url}/api/live{query}", headers=headers, timeout=PATIENCE) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(response)


def track(served: Served, team_id: str, quantity: int, key: str | None = None) -> None:
    event = {"team_id": team_id, "event_name": "api_call", "quantity": quantity,
             "timestamp": datetime.now(UTC).isoformat()}  # fmt: skip
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = httpx.post(served.url + "/api/usage/track", json=event, headers=headers)
    assert answer.json()["accepted"] == 1


def test_an_event_moves_a_stream_within_two_seconds_whichever_process_took_it(furnished):
    with (
        serving(furnished, "--dev") as one,
        serving(furnished, "--dev") as other,
        stream(one, "?team_id=acme") as near,
        stream(other, "?team_id=acme") as far,
        stream(other) as every,
    ):
        for each in (near, far):
            assert each.next("hello")["version"]
            assert each.next("usage")["metrics"][0]["quantity"] == "0"
        time.sleep(1.5)  # what they were made for is over
        began = time.monotonic()
        track(one, "acme", 7)
        for each in (near, far):
            while (usage := each.next("usage"))["metrics"][0]["quantity"] != "7":
                continue
            assert time.monotonic() - began < SOON + 1  # a busy machine's
            assert (usage["team_id"], usage["currency"], usage["cost"]) == ("acme", "USD", "0.00")
        while "acme" not in (touched := every.next("touched"))["teams"]:
            continue
        assert touched["events"] in (0, 1)


def test_a_server_that_stops_ends_its_streams_and_does_not_wait_for_them(furnished):
    with serving(furnished, "--dev") as served, stream(served, "?team_id=acme") as one, stream(served) as every:
        one.next("usage")
        every.next("hello")
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 10
        assert one.rest()[-1] == "goodbye"
        assert every.rest()[-1] == "goodbye"


def test_a_stream_is_for_who_may_read_the_team_and_ends_with_the_key(furnished):
    with serving(furnished, TALLYSTICK_MAX_STREAMS="2") as served:
        admin = {"Authorization": f"Bearer {served.key}"}

        def post(path: str, **body: Any) -> Any:
            return httpx.post(served.url + path, json=body, headers=admin).json()

        own = post("/api/keys", name="own", scopes=["read"], team_id="acme")
        sender = post("/api/keys", name="sender", scopes=["ingest"])
        token = post("/api/portal/tokens", team_id="acme")
        assert served.get("/api/live").status_code == 401
        assert served.get("/api/live", sender["key"]).status_code == 403
        for key in (own["key"], token["token"]):
            assert served.get("/api/live?team_id=globex", key).status_code == 403
        assert served.get("/api/live?team_id=nobody", served.key).status_code == 404
        assert served.get("/api/live?since=7", served.key).status_code == 422
        with stream(served, "", own["key"]) as mine, stream(served, "", token["token"]) as portal:
            assert mine.next("usage")["team_id"] == portal.next("usage")["team_id"] == "acme"
            full = served.get("/api/live", served.key)
            assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
            track(served, "globex", 1, served.key)
            httpx.delete(f"{served.url}/api/keys/{own['id']}", headers=admin)
            httpx.delete(f"{served.url}/api/portal/tokens/{token['id']}", headers=admin)
            track(served, "acme", 1, served.key)
            assert mine.rest()[-1] == "goodbye"
            assert portal.rest()[-1] == "goodbye"
        with stream(served, "?team_id=acme", served.key) as again:
            assert again.next("usage")["metrics"][0]["quantity"] == "1"


def test_an_alert_is_told_as_it_comes(furnished):
    with serving(furnished, "--dev") as served, stream(served, "?team_id=acme") as one, stream(served) as every:
        one.next("usage")
        every.next("hello")
        alert = {"team_id": "acme", "kind": "usage", "metric": "api_calls", "threshold_value": "5", "name": "five"}
        assert httpx.post(served.url + "/api/usage/alerts", json=alert).status_code == 201
        track(served, "acme", 7)
        for each in (one, every):
            told_of = each.next("alert")
            assert (told_of["team_id"], told_of["name"], told_of["state"]) == ("acme", "five", "exceeded")
            assert (told_of["value"], told_of["limit"], told_of["unit"]) == ("7", "5", "call")
    assert hubs.AT_MOST_EVERY == 1.0
