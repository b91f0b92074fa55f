"""What a server is asked, and what a program gets for it: exact numbers, precise errors, quick verdicts."""

import inspect
import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.python.tests.door import Answer, Door, Lost, Slow
from clients.python.tests.serving import Server
from tallystick_client import (
    AccessDenied,
    AsyncClient,
    Client,
    InvalidRequest,
    LimitReached,
    NotConfigured,
    NotFound,
    RequestRefused,
    ServerUnavailable,
    Tracker,
    UnexpectedAnswer,
)
from tallystick_client.outage import Outage


@pytest.fixture
def client(billed: Server) -> Iterator[Client]:
    with Client(billed.url) as client:
        yield client


def told(server: Server, path: str, method: str = "POST", **members: Any) -> Any:
    """What an administrator tells the server."""
    answer = httpx.request(method, server.url + path, json=members)
    assert answer.is_success, answer.text
    return answer.json()


def used(server: Server, team: str, quantity: str, **metadata: str) -> None:
    event: Any = {"team_id": team, "event_name": "api_call", "quantity": quantity, "metadata": metadata}
    told(server, "/api/usage/track", **event)


def limited(server: Server, team: str, limit: str) -> None:
    used(server, team, "0")
    told(server, "/api/usage/limits", "PUT", team_id=team, metric="api_calls", limit=limit)


# --- Reports ----------------------------------------------------------------------------------------


def test_usage_is_exact_and_by_metric(billed: Server, client: Client, team: str):
    used(billed, team, "0.1", region="eu")
    used(billed, team, "0.2", region="eu")
    used(billed, team, "10000000000000000000", region="us")
    usage = client.usage(team)
    assert usage.team == team
    assert usage.metrics["api_calls"].usage == Decimal("10000000000000000000.3")
    assert (usage.metrics["api_calls"].unit, usage.metrics["api_calls"].events) == ("call", 3)
    assert usage.start <= usage.as_of < usage.end


def test_a_history_is_of_the_windows_and_dimensions_asked_for(billed: Server, client: Client, team: str):
    used(billed, team, "2", region="eu")
    used(billed, team, "3", region="us")
    today = datetime.now(UTC).date()
    begin = datetime(today.year, today.month, today.day, tzinfo=UTC)
    for start in (today, begin, begin.isoformat()):
        metric = client.usage(team, "api_calls", start=start, window="hour", group_by=["region"]).metrics["api_calls"]
        per_region = {series.dimensions["region"]: series.windows for series in metric.history}
        assert {region: sum(each.usage or 0 for each in seen) for region, seen in per_region.items()} == {
            "eu": 2,
            "us": 3,
        }
        assert per_region["eu"][0].start == begin
        assert all((each.end - each.start).total_seconds() == 3600 for each in per_region["eu"])


def test_costs_are_what_the_plan_says_line_by_line(billed: Server, client: Client, team: str):
    used(billed, team, "1000")
    month = datetime.now(UTC).strftime("%Y-%m-01T00:00:00Z")
    told(billed, f"/api/teams/{team}/subscriptions", plan="standard", starts_at=month)
    costs = client.costs(team)
    assert (costs.plan, costs.currency, costs.total) == ("standard", "USD", Decimal("0.80"))
    [line] = costs.metrics["api_calls"].lines
    assert (line.quantity, line.amount, line.total) == (Decimal(1000), Decimal("0.8"), Decimal("0.80"))
    assert (costs.projected_total or 0) >= Decimal("0.80")
    assert costs.metrics["peak"].total is None
    assert costs.metrics["peak"].reason


def test_alerts_say_how_they_stand(billed: Server, client: Client, team: str):
    used(billed, team, "81")
    steps = [{"percent": "80"}, {"percent": "100"}]
    alert: Any = {"name": "Calls", "team_id": team, "metric": "api_calls", "threshold_value": "100", "steps": steps}
    told(billed, "/api/usage/alerts", **alert)
    [status] = client.alerts(team)
    assert (status.name, status.kind, status.value, status.threshold) == ("Calls", "usage", Decimal(81), Decimal(100))
    assert [step.limit for step in status.steps] == [80, 100]
    assert status.state in {"ok", "warning"}


async def test_on_an_event_loop_it_is_the_same(billed: Server, team: str):
    used(billed, team, "5")
    limited(billed, team, "10")
    async with AsyncClient(billed.url) as client:
        assert (await client.usage(team)).metrics["api_calls"].usage == 5
        assert (await client.costs(team)).total is None
        assert await client.alerts(team) == ()
        assert not await client.check(team, "api_calls", 6)
        async with client.reserve(team, "api_calls", 4) as reservation:
            assert (await client.check(team, "api_calls")).reserved == 4
            await reservation.commit()
        async with client.reserve(team, "api_calls", 1):
            assert (await client.check(team, "api_calls", 0)).remaining == 0
        assert (await client.check(team, "api_calls", 0)).remaining == 1
        with pytest.raises(LimitReached):
            async with client.reserve(team, "api_calls", 2):
                pytest.fail("there is not so much left")


def test_both_clients_have_the_same_methods_and_say_what_they_take():
    for name in ("usage", "costs", "alerts", "check", "reserve"):
        sync, other = getattr(Client, name), getattr(AsyncClient, name)
        assert inspect.signature(sync) == inspect.signature(other)
        assert sync.__doc__ == other.__doc__
        assert "Raises:" in sync.__doc__
    assert str(inspect.signature(Client("http://localhost").check)).startswith("(team: 'str', metric: 'str'")


# --- Errors -----------------------------------------------------------------------------------------


def test_what_is_not_there_is_named(client: Client, team: str):
    with pytest.raises(NotFound, match=team) as refused:
        client.usage(team)
    assert (refused.value.status, refused.value.code) == (404, "not_found")
    with pytest.raises(NotFound, match="api_calls"):
        client.check(team, "api_cals")


def test_what_does_not_fit_is_named(billed: Server, client: Client, team: str):
    used(billed, team, "1")
    with pytest.raises(RequestRefused, match="window") as refused:
        client.usage(team, window="week")  # type: ignore[arg-type] # that is the mistake
    assert refused.value.status == 422
    with pytest.raises(RequestRefused, match="peak"):
        client.check(team, "peak")


def test_a_mistake_is_found_before_it_is_sent(client: Client):
    with pytest.raises(InvalidRequest, match="float"):
        client.check("acme", "api_calls", 0.1)  # type: ignore[arg-type] # that is the mistake
    with pytest.raises(InvalidRequest, match="open and closed"):
        client.check("acme", "api_calls", when_unavailable="maybe")  # type: ignore[arg-type] # likewise
    with pytest.raises(InvalidRequest, match="time zone"):
        client.usage("acme", start=datetime(2026, 3, 1))  # noqa: DTZ001 - that is the mistake
    assert client.usage.__doc__
    assert date(2026, 3, 1).isoformat() == "2026-03-01"
    with pytest.raises(NotConfigured, match="open and closed"):
        Client("http://localhost", when_unavailable="maybe")  # type: ignore[arg-type] # likewise


def test_a_key_that_is_not_for_this_is_denied(door: Door):
    door.script += [Answer(401, {}, b'{"code": "unauthorized", "detail": "no such key"}')]
    with Client(door.url, "tsk_x") as client, pytest.raises(AccessDenied, match="no such key") as denied:
        client.check("acme", "api_calls")
    assert denied.value.status == 401


@pytest.mark.parametrize("answer", [Answer(200, {}, b"<html>hello"), Answer(200, {}, b"{}"), Answer(404, {}, b"nginx")])
def test_another_program_at_the_url_is_noticed(door: Door, answer: Answer):
    door.script += [answer]
    with Client(door.url) as client, pytest.raises(UnexpectedAnswer, match="Tallystick"):
        client.check("acme", "api_calls")


def test_a_report_that_can_not_be_had_says_why_and_when_to_ask_again(free_url: str):
    with Client(free_url) as client, pytest.raises(ServerUnavailable, match=f"{free_url} does not answer"):
        client.usage("acme")


# --- Checks -----------------------------------------------------------------------------------------


def test_a_check_includes_what_was_acknowledged_just_now(billed: Server, client: Client, team: str):
    limited(billed, team, "2.5")
    for left in ("2.5", "1.5", "0.5"):
        check = client.check(team, "api_calls", Decimal("0.5"))
        assert check
        assert (check.limit, check.type, check.remaining) == (Decimal("2.5"), "hard", Decimal(left))
        used(billed, team, "1") if left != "0.5" else None
    check = client.check(team, "api_calls")
    assert not check
    assert (check.reason, check.used) == ("hard_limit", 2)
    assert check.retry_at == check.resets_at is not None


@pytest.mark.parametrize(("policy", "allowed"), [("open", True), ("closed", False)])
def test_without_the_server_the_policy_decides(free_url: str, policy: Any, allowed: bool):
    with Client(free_url, when_unavailable=policy) as client:
        check = client.check("acme", "api_calls", "0.25")
        assert check == (allowed, "unavailable", "acme", "api_calls", Decimal("0.25"), *[None] * 7)
        assert client.check("acme", "api_calls", when_unavailable="open")
        assert not client.check("acme", "api_calls", when_unavailable="closed")


async def test_without_the_server_the_policy_decides_on_an_event_loop(free_url: str):
    async with AsyncClient(free_url, when_unavailable="closed") as client:
        assert not await client.check("acme", "api_calls")
        with pytest.raises(LimitReached, match="unavailable"):
            async with client.reserve("acme", "api_calls", 1):
                pytest.fail("it is closed")


def test_a_server_that_is_slow_is_waited_for_once_not_by_each(billed: Server, door: Door, team: str):
    limited(billed, team, "10")
    with Client(door.url, check_timeout=0.2) as client:
        assert client.check(team, "api_calls").reason is None
        door.script += [Slow(2)]
        began = time.monotonic()
        assert [client.check(team, "api_calls").reason for _ in range(100)] == ["unavailable"] * 100
        assert time.monotonic() - began < 2
        deadline = time.monotonic() + 30
        while client.check(team, "api_calls").reason == "unavailable" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.check(team, "api_calls").reason is None, "it did not notice that the server is back"
        assert len(door.batches) < 20, "it asked all the time"


def test_while_the_server_is_out_one_request_at_a_time_finds_out():
    now = 0.0
    outage = Outage(lambda: now)
    assert outage.may_ask()
    outage.began("no answer")
    assert [outage.may_ask() for _ in range(3)] == [False] * 3
    now = 1.0
    assert [outage.may_ask() for _ in range(3)] == [True, False, False]
    outage.ended()
    assert [outage.may_ask() for _ in range(3)] == [True] * 3


def test_a_lost_answer_is_asked_for_again(billed: Server, door: Door, team: str):
    limited(billed, team, "10")
    with Client(door.url, when_unavailable="closed") as client:
        door.script += [Lost()]
        assert client.check(team, "api_calls")
        door.script += [Lost()]
        with client.reserve(team, "api_calls", 10):
            assert client.check(team, "api_calls", 0).reserved == 10, "it was reserved twice, or not at all"


def test_a_forked_child_has_connections_of_its_own(billed: Server, client: Client, team: str):
    limited(billed, team, "10")
    assert client.check(team, "api_calls")
    if (child := os.fork()) == 0:
        os._exit(0 if client.check(team, "api_calls").reason is None else 1)
    assert client.check(team, "api_calls").reason is None
    assert os.waitpid(child, 0)[1] == 0


# --- Reservations -----------------------------------------------------------------------------------


def test_a_reservation_is_free_until_its_event_counts_and_nothing_counts_twice(
    billed: Server, client: Client, team: str, spool: Path
):
    limited(billed, team, "10")
    with Tracker(billed.url, spool=spool, flush_interval=60) as tracker:
        with client.reserve(team, "api_calls", 8) as reservation:
            assert client.check(team, "api_calls", 0).remaining == 2
            tracker.track(team, "api_call", 7, idempotency_key=reservation.key)
            reservation.commit()
        check = client.check(team, "api_calls", 0)
        assert (check.used, check.reserved, check.remaining) == (0, 8, 2)
        assert tracker.flush(10)
        check = client.check(team, "api_calls", 0)
        assert (check.used, check.reserved, check.remaining) == (7, 0, 3)


def test_a_block_that_fails_gives_its_reservation_back(billed: Server, client: Client, team: str):
    limited(billed, team, "10")
    with pytest.raises(ZeroDivisionError), client.reserve(team, "api_calls", 8):
        raise ZeroDivisionError
    assert client.check(team, "api_calls", 0).remaining == 10


def test_what_is_not_left_can_not_be_reserved(billed: Server, client: Client, team: str):
    limited(billed, team, "10")
    with client.reserve(team, "api_calls", 8), pytest.raises(LimitReached, match="hard_limit, 2 of 10 left") as refused:  # noqa: SIM117
        with client.reserve(team, "api_calls", 3):
            pytest.fail("there is not so much left")
    assert refused.value.check.remaining == 2


def test_without_the_server_work_goes_on_without_a_reservation_where_that_is_the_policy(free_url: str):
    with Client(free_url) as client, client.reserve("acme", "api_calls", 8) as reservation:
        assert reservation.check.reason == "unavailable"
        assert reservation.holds_until is None
        assert reservation.key
        reservation.commit()


def test_a_server_that_goes_away_meanwhile_does_no_harm(billed: Server, team: str, caplog: Any):
    limited(billed, team, "10")
    with Door.before(billed.url) as door, Client(door.url) as client:
        reservation = client.reserve(team, "api_calls", 8)
        reservation.__enter__()
        door.script += [Answer(503)]
        reservation.commit()
        reservation.__exit__(None, None, None)
    assert "holds until" in caplog.text
