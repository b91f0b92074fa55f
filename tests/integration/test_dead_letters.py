"""Dead letters: nothing that was rejected is lost, what is repaired counts once, and who did what is on record."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.http.principal import Scope
from tallystick.metering.dead_letters import reading, service
from tallystick.metering.dead_letters.models import Kind, LetterFilter, Repair, State
from tallystick.metering.dead_letters.service import DeadLetters
from tallystick.metering.decoding import Decoded, Limits, Rejection, decode
from tallystick.metering.ingestion import Outcome
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, calling, opened
from tests.integration.test_server import environment, tallystick

ME = "key:ME"
ALL = LetterFilter(state=None)
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def house(database: Database, clock: ManualClock) -> AsyncIterator[House]:
    async with opened(database, clock) as house:
        await house.team("acme")
        await house.team("globex")
        yield house


@pytest.fixture
def letters(house: House) -> DeadLetters:
    return house.metering.dead_letters


@pytest.fixture
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(house) as client:
        yield client


def event(key: str | None = None, **fields: Any) -> dict[str, Any]:
    sent = {"team_id": "acme", "event_name": "api_call", "timestamp": "2026-03-10T10:00:00Z", **fields}
    return sent if key is None else {**sent, "idempotency_key": key}


async def send(house: House, *events: Any, team: str | None = None) -> Outcome:
    body = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in events)
    decoded = decode(body, house.metering.limits.now(), ndjson=True)
    return await house.metering.ingestor.submit(decoded, allowed_team=team)


async def replay(house: House, letter_id: int, repair: Repair = service.NO_REPAIR) -> bool:
    dead_letters = house.metering.dead_letters
    return (await dead_letters.replay(letter_id, house.metering.limits.now(), ME, repair)).taken


async def used(client: httpx.AsyncClient, team: str = "acme", metric: str = "api_calls") -> Decimal:
    report = (await client.get("/api/usage/report", params={"team_id": team, "metric": metric})).json()
    return Decimal(report["metrics"][0]["current_period"]["usage"])


def changed(**members: Any) -> Repair:
    return Repair(changes={name: json.dumps(value).encode() for name, value in members.items()})


# --- What is kept -----------------------------------------------------------------------------------


async def test_the_same_bad_event_again_is_one_letter_that_says_how_often_it_came(
    house: House, letters: DeadLetters
) -> None:
    for _ in range(3):
        await send(house, event("a", quantity="NaN"))
    (letter,) = await letters.list()
    assert letter.seen == 3
    assert await letters.counts() == {"invalid_quantity": 1}


@pytest.mark.parametrize("problem", [{"team_id": "nobody"}, {"quantity": "many"}])
async def test_two_equal_events_without_a_key_are_two_letters_because_they_may_be_two_events(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, problem: dict[str, Any]
) -> None:
    await send(house, event(**problem), event(**problem))
    await send(house, event(**problem))
    found = await letters.list()
    assert len({letter.key for letter in found}) == 3
    for letter in found:
        assert await replay(house, letter.id, changed(team_id="acme", quantity=1))
    assert await used(client) == 3


async def test_a_letter_knows_when_its_event_happened_if_that_can_be_read(
    house: House, letters: DeadLetters, clock: ManualClock
) -> None:
    await send(
        house,
        event("a", quantity="x"),
        event("b", timestamp="yesterday"),
        b'{"team_id": "acme", "timestamp": "2026-02-01T00:00:00+01:00"}',
        b'{"team_id": ',
    )
    happened = [letter.occurred_at.isoformat() for letter in reversed(await letters.list())]
    now = clock.now().isoformat()
    assert sorted(happened) == sorted(["2026-03-10T10:00:00+00:00", now, "2026-01-31T23:00:00+00:00", now])


async def test_a_listing_shows_the_beginning_of_a_huge_body_and_the_letter_all_of_it(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    huge = event("a", metadata={"k": "x" * 2_000_000})
    await send(house, huge)
    (listed,) = (await client.get("/api/usage/dead-letters")).json()["data"]
    assert (len(listed["body"]), listed["size"]) == (20_000, len(json.dumps(huge)))
    assert json.loads((await client.get(f"/api/usage/dead-letters/{listed['id']}")).json()["body"]) == huge


# --- Reasons by class -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        ({"quantity": "x"}, Kind.MALFORMED),
        ({"colour": "red"}, Kind.MALFORMED),
        ({"metadata": []}, Kind.MALFORMED),
        ({"timestamp": "2036-01-01T00:00:00Z"}, Kind.UNTIMELY),
        ({"timestamp": "1990-01-01T00:00:00Z"}, Kind.UNTIMELY),
        ({"team_id": "nobody"}, Kind.CATALOGUE),
        ({"unit": "token"}, Kind.CATALOGUE),
        ({"quantity": -1}, Kind.CATALOGUE),
    ],
)
async def test_each_reason_is_of_a_class_that_says_what_helps(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, sent: dict[str, Any], kind: Kind
) -> None:
    await send(house, event("a", **sent))
    for each in Kind:
        assert len(await letters.list(LetterFilter(kind=each))) == (each is kind)
    page = (await client.get("/api/usage/dead-letters", params={"kind": kind})).json()
    assert page["kinds"] == {kind: 1}
    assert page["data"][0]["remedy"]


async def test_letters_are_found_by_team_reason_state_and_when_they_happened(
    house: House, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", quantity="x"), event("b", quantity="x", team_id="globex"), event("c", unit="token"))

    async def found(**params: str) -> int:
        return len((await client.get("/api/usage/dead-letters", params=params)).json()["data"])

    assert await found() == 3
    assert await found(team_id="acme") == 2
    assert await found(code="invalid_quantity") == 2
    assert await found(team_id="acme", code="invalid_quantity") == 1
    assert await found(state="replayed") == 0
    assert await found(**{"from": "2026-03-10T10:00:00Z", "to": "2026-03-10T10:00:01Z"}) == 3
    assert await found(to="2026-03-10T10:00:00Z") == 0
    assert (await client.get("/api/usage/dead-letters", params={"kind": "odd"})).status_code == 422


# --- Repair and replay ------------------------------------------------------------------------------


async def test_a_letter_is_repaired_and_replayed_once(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", team_id="nobody", quantity=4))
    (letter,) = await letters.list()
    assert not await replay(house, letter.id)
    assert await replay(house, letter.id, changed(team_id="acme"))
    assert await used(client) == 4
    with pytest.raises(Conflict):
        await replay(house, letter.id)
    assert await letters.list() == []
    (done,) = await letters.list(LetterFilter(state=State.REPLAYED))
    assert (done.state, done.replayed_by, done.attempts, done.attempt_code) == (State.REPLAYED, ME, 1, "unknown_team")


async def test_what_was_sent_stays_on_record_with_every_repair_and_who_made_it(
    client: httpx.AsyncClient, house: House, letters: DeadLetters, clock: ManualClock
) -> None:
    sent = event("a", team_id="acmee", quantity="1.10")
    await send(house, sent)
    (letter,) = await letters.list()
    url = f"/api/usage/dead-letters/{letter.id}"
    first = await client.patch(url, json={"changes": {"team_id": "globex"}, "reason": "a guess"})
    assert (first.status_code, json.loads(first.json()["edited"])["team_id"]) == (200, "globex")
    clock.advance(timedelta(minutes=5))
    await client.patch(url, json={"event": {**sent, "team_id": "acme"}})
    shown = (await client.get(url)).json()
    assert (json.loads(shown["body"]), shown["edits"]) == (sent, 2)
    assert [(edit["number"], edit["reason"], edit["edited_at"]) for edit in shown["history"]] == [
        (1, "a guess", "2026-03-15T12:00:00Z"),
        (2, None, "2026-03-15T12:05:00Z"),
    ]
    assert all(edit["edited_by"].startswith("key:") for edit in shown["history"])
    answer = (await client.post(f"{url}/replay", json={})).json()
    assert (answer["taken"], answer["letter"]["replayed_by"]) == (True, shown["history"][0]["edited_by"])
    assert await used(client) == Decimal("1.10")
    assert await used(client, "globex") == 0


async def test_a_repair_keeps_every_digit(house: House, letters: DeadLetters, client: httpx.AsyncClient) -> None:
    await send(house, event("a", team_id="acmee", quantity="0.123456789012345678"), event("b", quantity="x"))
    second, first = await letters.list()
    await replay(house, first.id, changed(team_id="acme"))
    body = b'{"changes": {"quantity": 12345678901234567890.123456789012345678}}'
    url = f"/api/usage/dead-letters/{second.id}/replay"
    assert (await client.post(url, content=body, headers=JSON)).json()["taken"]
    assert await used(client) == Decimal("12345678901234567890.246913578024691356")


@pytest.mark.parametrize(
    ("repair", "says"),
    [
        ({"changes": {"quantity": "many"}}, "quantity must be a number"),
        ({"changes": {"colour": "red"}}, "unknown field 'colour'"),
        ({"changes": {"team_id": None}}, "team_id is required"),
        ({"event": {"team_id": "acme"}}, "event_name is required"),
        ({"changes": {}}, "give the event, or the changes to it"),
        ({}, "give the event, or the changes to it"),
        ({"event": None}, "give the event, or the changes to it"),
        ({"changes": {"team_id": "acme"}, "reason": ""}, "at least 1 character"),
    ],
)
async def test_a_repair_that_could_not_be_taken_either_is_refused_and_not_kept(
    client: httpx.AsyncClient, house: House, letters: DeadLetters, repair: dict[str, Any], says: str
) -> None:
    await send(house, event("a", team_id="acmee"))
    (letter,) = await letters.list()
    answer = await client.patch(f"/api/usage/dead-letters/{letter.id}", content=json.dumps(repair), headers=JSON)
    assert (answer.status_code, says in answer.json()["detail"]) == (422, True), answer.text
    assert (await letters.get(letter.id)).edits == 0


async def test_a_letter_that_is_no_json_is_repaired_by_a_whole_event(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, b'{"team_id": "acme"', b"\xff\xfe\x00", event("a"))
    for letter in await letters.list():
        with pytest.raises(InvalidInput, match="give the whole event"):
            await replay(house, letter.id, changed(team_id="acme"))
        assert not await replay(house, letter.id)
        assert await replay(house, letter.id, Repair(json.dumps(event()).encode()))
    assert await used(client) == 3


async def test_a_replayed_event_without_a_timestamp_happened_when_it_first_arrived(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    sent = event("a", team_id="nobody")
    del sent["timestamp"]
    await send(house, sent)
    (letter,) = await letters.list()
    clock.advance(timedelta(days=40))
    assert await replay(house, letter.id, changed(team_id="acme"))
    report = (await client.get("/api/usage/report", params={"team_id": "acme", "period": "2026-03"})).json()
    assert report["metrics"][0]["current_period"]["usage"] == "1"


async def test_the_key_made_for_a_rejected_event_stays_its_identity(house: House, letters: DeadLetters) -> None:
    sent = event(team_id="late")
    key = (await send(house, sent)).generated_keys[0]
    await house.team("late")
    (letter,) = await letters.list()
    assert await replay(house, letter.id)
    assert (await send(house, {**sent, "idempotency_key": key})).duplicates == 1


async def test_what_is_ahead_of_the_clock_can_be_replayed_once_it_has_come(
    house: House, letters: DeadLetters, clock: ManualClock
) -> None:
    await send(house, event("a", timestamp="2026-03-15T18:00:00Z"))
    (letter,) = await letters.list()
    assert not await replay(house, letter.id)
    clock.advance(timedelta(hours=6))
    assert await replay(house, letter.id)


async def test_a_letter_that_is_replayed_many_times_at_once_counts_once(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event(team_id="late", quantity=3), b'{"team_id": ')
    await house.team("late")
    for letter in await letters.list():
        repair = Repair(json.dumps(event(team_id="late", quantity=3)).encode()) if letter.team_id is None else None
        rounds = [replay(house, letter.id, *([repair] if repair else [])) for _ in range(8)]
        assert any(each is True for each in await asyncio.gather(*rounds, return_exceptions=True))
    assert await used(client, "late") == 6


async def test_a_replay_that_was_cut_off_before_it_was_recorded_counts_once(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(house, event(quantity="x"))
    (letter,) = await letters.list()

    async def killed(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched, suppress(ConnectionError):
        patched.setattr(DeadLetters, "_record", killed)
        await replay(house, letter.id, changed(quantity=5))
    assert (await letters.get(letter.id)).state is State.WAITING
    assert await replay(house, letter.id)
    assert await used(client) == 5


# --- Many at once -----------------------------------------------------------------------------------


async def test_letters_of_a_misspelled_team_are_repaired_and_replayed_in_one_go(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 100)
    await send(house, *(event(f"k{i}", team_id="acmee") for i in range(250)), event("other", quantity="x"))
    wanted: dict[str, Any] = {"team_id": "acmee", "code": "unknown_team", "changes": {"team_id": "acme"}}
    answers = [(await client.post("/api/usage/dead-letters/replay", json=wanted)).json()]
    while answers[-1]["next_cursor"]:
        wanted["cursor"] = answers[-1]["next_cursor"]
        answers.append((await client.post("/api/usage/dead-letters/replay", json=wanted)).json())
    assert [answer["taken"] for answer in answers] == [100, 100, 50]
    assert await used(client) == 250
    assert await letters.counts() == {"invalid_quantity": 1}


async def test_of_many_letters_those_that_are_rejected_again_wait_on_and_are_named(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", team_id="late"), event("b", quantity="x"), event("c", unit="token"))
    await house.team("late")
    answer = (await client.post("/api/usage/dead-letters/replay", json={"all": True})).json()
    assert (answer["taken"], answer["rejected"]) == (1, 2)
    assert {error["code"] for error in answer["errors"]} == {"invalid_quantity", "unit_mismatch"}
    assert [letter.attempts for letter in await letters.list()] == [1, 1]


@pytest.mark.parametrize("wanted", [{}, {"all": True, "code": "x"}, {"event": {}}])
async def test_what_to_replay_has_to_be_said(client: httpx.AsyncClient, wanted: dict[str, Any]) -> None:
    assert (await client.post("/api/usage/dead-letters/replay", json=wanted)).status_code == 422


async def test_no_replay_lets_a_sender_write_for_another_team(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", team_id="acme"), team="globex")
    (letter,) = await letters.list()
    assert (letter.kind, letter.team_id) == (Kind.FORBIDDEN, "globex")
    assert (await client.post("/api/usage/dead-letters/replay", json={"all": True})).json()["rejected"] == 0
    assert not await replay(house, letter.id)
    by_name = (await client.post("/api/usage/dead-letters/replay", json={"kind": "forbidden"})).json()
    assert (by_name["taken"], by_name["rejected"]) == (0, 1)
    assert await used(client) == 0
    assert await replay(house, letter.id, changed(team_id="acme"))  # somebody has decided that
    assert await used(client) == 1


# --- Giving up --------------------------------------------------------------------------------------


async def test_a_discarded_letter_waits_no_longer_and_stays_on_record(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", quantity="x"))
    (letter,) = await letters.list()
    url = f"/api/usage/dead-letters/{letter.id}"
    assert (await client.delete(url)).status_code == 409
    done = (await client.post(f"{url}/discard", json={"reason": "a test run"})).json()
    assert (done["state"], done["discard_reason"]) == ("discarded", "a test run")
    assert (await client.get("/api/usage/dead-letters")).json()["waiting"] == {}
    assert (await client.post(f"{url}/discard", content=b'{"reason": "\\ud800"}', headers=JSON)).status_code == 422
    for path, body in (("replay", {}), ("discard", {"reason": "x"})):
        assert (await client.post(f"{url}/{path}", json=body)).status_code == 409
    assert (await client.patch(url, json={"changes": {"quantity": 1}})).status_code == 409
    await send(house, event("a", quantity="x"))
    again = await letters.get(letter.id)
    assert (again.state, again.seen) == (State.DISCARDED, 2)


async def test_a_discarded_letter_can_be_restored_and_then_replayed(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", quantity="x"))
    (letter,) = await letters.list()
    url = f"/api/usage/dead-letters/{letter.id}"
    assert (await client.post(f"{url}/restore")).status_code == 409
    await letters.discard(letter.id, "x", ME)
    assert (await client.post(f"{url}/restore")).json()["state"] == "waiting"
    assert await replay(house, letter.id, changed(quantity=1))


async def test_settled_letters_are_erased_and_those_that_wait_are_not(
    house: House, letters: DeadLetters, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await send(house, event("a", quantity="x"), event("b", quantity="x"), event("c", quantity="x"))
    first, second, third = await letters.list()
    await replay(house, first.id, changed(quantity=1))
    await letters.discard(second.id, "x", ME)
    assert await letters.delete_settled(clock.now()) == 0
    assert await letters.delete_settled(clock.now() + timedelta(seconds=1)) == 2
    assert [letter.id for letter in await letters.list(ALL)] == [third.id]
    await letters.discard(third.id, "x", ME)
    assert (await client.delete(f"/api/usage/dead-letters/{third.id}")).status_code == 204
    with pytest.raises(NotFound):
        await letters.get(third.id)
    assert await used(client) == 1


async def test_many_letters_are_discarded_at_once(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, event("a", quantity="x"), event("b", quantity="x"), event("c", unit="token"))
    wanted = {"code": "invalid_quantity", "reason": "sent by a test run"}
    assert (await client.post("/api/usage/dead-letters/discard", json=wanted)).json() == {"discarded": 2}
    assert await letters.counts() == {"unit_mismatch": 1}
    assert (await client.post("/api/usage/dead-letters/discard", json={"reason": "x"})).status_code == 422


# --- Who may ----------------------------------------------------------------------------------------


async def test_a_team_sees_its_own_letters_and_changes_none(house: House, letters: DeadLetters) -> None:
    await send(house, event("a", quantity="x"), event("b", team_id="globex", quantity="x"))
    other, own = await letters.list()
    async with calling(house, Scope.READ, "acme") as reader:
        listed = (await reader.get("/api/usage/dead-letters")).json()
        assert ([letter["id"] for letter in listed["data"]], listed["waiting"]) == ([own.id], {"invalid_quantity": 1})
        assert (await reader.get(f"/api/usage/dead-letters/{other.id}")).status_code == 404
    async with calling(house, Scope.INGEST, "acme") as sender:
        url = f"/api/usage/dead-letters/{own.id}"
        assert (await sender.patch(url, json={"changes": {"quantity": 1}})).status_code == 403
        assert (await sender.post(f"{url}/replay", json={})).status_code == 403
        assert (await sender.post("/api/usage/dead-letters/replay", json={"all": True})).status_code == 403
    async with calling(house, Scope.INGEST) as sender:
        assert (await sender.post(f"{url}/discard", json={"reason": "x"})).status_code == 403
        assert (await sender.delete(url)).status_code == 403
        assert (await sender.post(f"{url}/replay", json={"changes": {"quantity": 1}})).json()["taken"]


# --- Other doors ------------------------------------------------------------------------------------


async def test_a_letter_that_came_by_another_door_is_replayed_as_that_door_reads_it(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    def read(body: bytes, limits: Limits) -> Decoded:
        team, quantity = body.decode().split(":")
        return decode(json.dumps(event("k", team_id=team, quantity=quantity)).encode(), limits)

    foreign = Rejection(0, "team_id", "unknown_team", "?", b"late:7", "late", "k", format="colon")
    await house.metering.ingestor.submit(Decoded([], [foreign], {}, 1, "colon"))
    (letter,) = await letters.list()
    assert not await replay(house, letter.id)  # nobody has said how it is read
    with pytest.raises(InvalidInput, match="whole event"):
        await replay(house, letter.id, changed(team_id="acme"))
    await house.team("late")
    reading.register("colon", read)
    assert await replay(house, letter.id)
    assert await used(client, "late") == 7


# --- In the report ----------------------------------------------------------------------------------


async def test_the_report_says_what_of_the_period_was_rejected_and_waits(
    house: House, letters: DeadLetters, client: httpx.AsyncClient
) -> None:
    await send(house, *(event("a", quantity="x") for _ in range(3)), event("b", quantity="y"), event("c", unit="token"))
    await send(
        house, event("d", quantity="x", timestamp="2026-02-28T23:59:59Z"), event("e", team_id="globex", unit="?")
    )

    async def reported(**params: str) -> list[tuple[str, str, int, int]]:
        report = (await client.get("/api/usage/report", params={"team_id": "acme", **params})).json()
        return [tuple(each.values()) for each in report["dead_letters"]]

    assert await reported() == [("invalid_quantity", "malformed", 2, 4), ("unit_mismatch", "catalogue", 1, 1)]
    assert await reported(period="2026-02") == [("invalid_quantity", "malformed", 1, 1)]
    for letter in await letters.list(LetterFilter("acme", "invalid_quantity")):
        await replay(house, letter.id, changed(quantity=1))
    assert await reported() == [("unit_mismatch", "catalogue", 1, 1)]


# --- On the command line ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Terminal:
    """`tallystick dead-letters …` on a database."""

    url: str

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """What a command prints, once it has ended with this code."""
        done = tallystick("dead-letters", *arguments, env=environment(self.url))
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ids(self, *arguments: str) -> list[str]:
        """The letters that are listed, oldest first."""
        return [str(json.loads(line)["id"]) for line in reversed(self("list", "--json", *arguments).splitlines())]


@pytest.fixture
async def terminal(house: House, database_url: str) -> Terminal:
    await send(house, *(event(f"k{i}", quantity="x") for i in range(4)))
    return Terminal(database_url)


async def test_letters_are_edited_and_replayed_on_the_command_line(
    terminal: Terminal, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    first, second, *_ = terminal.ids()
    assert "4 invalid_quantity: the event itself is wrong" in terminal("list")
    edited = terminal("edit", first, "--set", "quantity=2.50", "--set", "user_id=ann", "--reason", "a typing error")
    assert '"quantity":2.50' in edited
    assert '"user_id":"ann"' in edited
    assert "a typing error" in terminal("show", first)
    assert terminal("replay", first).splitlines() == ["1 of 1 taken"]
    file = tmp_path / "repaired.json"
    file.write_text(json.dumps(event(quantity=1)))  # it keeps the key that the letter has
    assert terminal("replay", second, "--file", str(file)).splitlines() == ["1 of 1 taken"]
    assert "2 were rejected again" in terminal("replay", "--all", code=1)
    assert terminal("replay", "--kind", "malformed", "--set", "quantity=4").splitlines() == ["2 of 2 taken"]
    assert await used(client) == Decimal("11.5")


async def test_letters_are_discarded_restored_and_erased_on_the_command_line(terminal: Terminal) -> None:
    first, *_ = terminal.ids()
    assert "discard it before you delete it" in terminal("delete", first, code=1)
    assert "1 discarded" in terminal("discard", first, "--reason", "a test run")
    assert terminal.ids("--state", "discarded") == [first]
    assert "waiting" in terminal("restore", first)
    assert "4 discarded" in terminal("discard", "--code", "invalid_quantity", "--reason", "a test run")
    assert "1 deleted" in terminal("delete", first)
    assert "3 deleted" in terminal("delete", "--settled-before", "2999-01-01T00:00:00Z")
    assert terminal.ids("--state", "all") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("replay",), "say which with --all, --team, --code or --kind"),
        (("replay", "1", "--all"), "say which with --all, --team, --code or --kind"),
        (("replay", "--all", "--file", "x"), "--file repairs a single dead letter"),
        (("discard", "--reason", "x"), "say which with --all, --team, --code or --kind"),
        (("edit", "1"), "say how it is repaired"),
        (("edit", "1", "--set", "quantity"), "'quantity' is not MEMBER=VALUE"),
        (("list", "--kind", "odd"), "there is no class of reasons 'odd'"),
        (("list", "--state", "odd"), "there is no state 'odd'"),
        (("delete",), "name the dead letters to delete"),
    ],
)
def test_what_makes_no_sense_on_the_command_line_is_one_line(
    database_url: str, arguments: tuple[str, ...], says: str
) -> None:
    said = Terminal(database_url)(*arguments, code=2)
    assert says in said
    assert len(said.splitlines()) == 1
