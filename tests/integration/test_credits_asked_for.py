"""What can be granted, and credits over HTTP and on the command line."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tallystick.billing.credits.terms import Repeat, Rollover, Terms
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.http.principal import Scope
from tests.integration.billing_setup import calling
from tests.integration.credits_setup import (
    APRIL,
    FEBRUARY,
    MARCH,
    MAY,
    MONTHLY,
    calls,
    line,
    money,
    monthly,
    opened_town,
)


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


# --- What is granted -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("currency", Terms(Decimal(1))),
        ("currency", Terms(Decimal(1), currency="USD", metric="api_calls")),
        ("currency", Terms(Decimal(1), currency="EURO")),
        ("amount", money("0")),
        ("amount", money("-1")),
        ("amount", money("NaN")),
        ("amount", money("0.005")),
        ("amount", Terms(Decimal("0.5"), currency="JPY")),
        ("amount", calls("1e20")),
        ("metric", Terms(Decimal(1), metric="nothing")),
        ("metrics", money(1, metrics=("api_calls", "nothing"))),
        ("metrics", calls(1, metrics=("api_calls",))),
        ("name", money(1, name="two\nlines")),
        ("reference", money(1, reference="")),
        ("priority", money(1, priority=-1)),
        ("expires_at", money(1, expires_at=MARCH)),
        ("expires_at", money(1, effective_at=MAY, expires_at=APRIL)),
        ("effective_at", money(1, effective_at=datetime(1999, 1, 1, tzinfo=UTC))),
        ("every", money(1, repeat=Repeat(BillingPeriod(PeriodUnit.DAY, 0)))),
        ("anchor", money(1, repeat=Repeat(MONTHLY, anchor=datetime(2300, 1, 1, tzinfo=UTC)))),
        ("time_zone", money(1, repeat=Repeat(MONTHLY, time_zone="Mars/Olympus"))),
        ("rollover", money(1, repeat=Repeat(MONTHLY, rollover=Rollover(Decimal("0.001"))))),
        ("rollover", money(1, repeat=Repeat(MONTHLY, rollover=Rollover(Decimal(-1))))),
        ("rollover", money(1, repeat=Repeat(MONTHLY, rollover=Rollover(percent=Decimal(-1))))),
        ("rollover", money(1, repeat=Repeat(MONTHLY, rollover=Rollover(Decimal(1), Decimal(1))))),
    ],
)
async def test_credits_that_can_not_be_granted_are_refused_by_field(town, field, terms):
    with pytest.raises(InvalidInput) as refused:
        await town.credits.grant("acme", terms)

    assert refused.value.field == field


async def test_a_percentage_is_carried_over_in_whole_minor_units(town):
    repeat = Repeat(MONTHLY, rollover=Rollover(percent=Decimal("33.3")))

    grant = await town.credits.grant("acme", money("0.10", repeat=repeat))

    assert grant.recurrence.cap == Decimal("0.03")


async def test_a_reference_grants_once(town):
    first = await town.credits.grant("acme", money(100, reference="order-1", repeat=monthly("5")))
    town.clock.advance(timedelta(days=40))

    again = await town.credits.grant("acme", money("100.00", reference="order-1", repeat=monthly("5")))

    assert again == first
    with pytest.raises(Conflict, match="reference 'order-1' is that of credit grant"):
        await town.credits.grant("acme", money(101, reference="order-1", repeat=monthly("5")))
    assert len(await town.credits.page("acme", 10)) == 1


async def test_one_reference_sent_many_times_at_once_grants_once(town):
    made = await asyncio.gather(*(town.credits.grant("acme", money(9, reference="r")) for _ in range(8)))

    assert len({grant.id for grant in made}) == 1
    assert (await town.credits.balance("acme"))[0].balance.granted == 9


async def test_a_recurrence_is_in_the_team_s_wall_time_and_stays_there(town):
    await town.house.billing.teams.create("nyc", time_zone="America/New_York")
    grant = await town.credits.grant(
        "nyc", money(10, effective_at=datetime(2026, 3, 1, 5, tzinfo=UTC), repeat=monthly())
    )

    assert grant.recurrence.time_zone == "America/New_York"
    assert (await town.credits.get(grant.id, at=datetime(2026, 4, 1, 3, 59, tzinfo=UTC))).balance.granted == 10
    assert (await town.credits.get(grant.id, at=datetime(2026, 4, 1, 4, tzinfo=UTC))).balance.granted == 20


# --- Over HTTP -------------------------------------------------------------------------------------

BASE = "/api/billing/credits"


async def test_credits_are_granted_listed_and_voided_over_http(town):
    async with calling(town.house) as client:
        made = await client.post(
            BASE,
            json={
                "team_id": "acme", "amount": "100.00", "currency": "USD", "kind": "promotional", "reference": "w",
                "recurrence": {"period": "month", "rollover": "50%"}, "expires_at": "2027-01-01T00:00:00Z",
            },
        )  # fmt: skip
        again = await client.post(BASE, json={"team_id": "acme", "amount": "1", "currency": "USD", "reference": "w"})
        await town.close(line("30"))
        path = f"{BASE}/{made.json()['id']}"
        shown, listed = await client.get(path), await client.get(BASE, params={"team_id": "acme"})
        balance = await client.get(f"{BASE}/balance", params={"team_id": "acme", "at": "2026-03-31T00:00:00Z"})
        ledger = await client.get(f"{BASE}/ledger", params={"team_id": "acme", "limit": 1})
        voided = await client.post(f"{path}/void", json={"reason": "order cancelled"})

    assert (made.status_code, again.status_code) == (201, 409)
    body = made.json()
    assert (body["amount"], body["kind"], body["effective_at"]) == ("100", "promotional", "2026-03-01T00:00:00Z")
    assert body["recurrence"] == {
        "period": "month", "every": 1, "anchor": "2026-03-01T00:00:00Z", "time_zone": "UTC", "rollover": "50",
    }  # fmt: skip
    assert shown.json()["balance"] == {
        "granted": "200", "used": "30", "expired": "20", "voided": "0", "available": "150", "pending": "0",
    }  # fmt: skip
    assert shown.json()["lapses_at"] == "2026-05-01T00:00:00Z"
    assert listed.json() == {"data": [shown.json()], "next_cursor": None}
    assert [each["available"] for each in balance.json()["balances"]] == ["100"]
    assert ledger.json()["data"][0]["kind"] in ("grant", "expiry", "rollover")
    assert ledger.json()["next_cursor"] is not None
    assert voided.json()["balance"]["voided"] == "150"
    assert voided.json()["void_reason"] == "order cancelled"


async def test_grants_and_the_ledger_are_listed_page_by_page(town):
    for n in range(3):
        await town.credits.grant("acme", money(1 + n))

    async with calling(town.house, Scope.READ) as client:
        for path, key in ((BASE, "id"), (f"{BASE}/ledger", "id")):
            params: dict[str, Any] = {"team_id": "acme", "limit": 2}
            first = (await client.get(path, params=params)).json()
            rest = (await client.get(path, params=params | {"cursor": first["next_cursor"]})).json()
            assert len({each[key] for each in first["data"] + rest["data"]}) == 3
            assert rest["next_cursor"] is None


async def test_a_key_for_one_team_sees_that_team_s_credits_alone_and_grants_none(town):
    await town.house.team("globex", starts_at=FEBRUARY)
    mine = await town.credits.grant("acme", money(1))
    other = await town.credits.grant("globex", money(1))

    async with calling(town.house, Scope.READ, "acme") as client:
        listed = await client.get(BASE)
        statuses = [
            (await client.get(f"{BASE}/{mine.id}")).status_code,
            (await client.get(f"{BASE}/balance")).status_code,
            (await client.get(f"{BASE}/{other.id}")).status_code,
            (await client.get(f"{BASE}/ledger", params={"team_id": "globex"})).status_code,
            (await client.post(BASE, json={"team_id": "acme", "amount": "1", "currency": "USD"})).status_code,
            (await client.post(f"{BASE}/{mine.id}/void", json={"reason": "r"})).status_code,
        ]

    assert [each["id"] for each in listed.json()["data"]] == [mine.id]
    assert statuses == [200, 200, 403, 403, 403, 403]


@pytest.mark.parametrize(
    ("status", "field", "body"),
    [
        (404, None, {"team_id": "nobody", "amount": "1", "currency": "USD"}),
        (422, "amount", {"team_id": "acme", "amount": "much", "currency": "USD"}),
        (422, "amount", {"team_id": "acme", "amount": 1, "currency": "USD"}),
        (422, "metric", {"team_id": "acme", "amount": "1", "metric": "m\0"}),
        (422, "rollover", {"team_id": "acme", "amount": "1", "currency": "USD",
                           "recurrence": {"period": "month", "rollover": "half"}}),
        (422, "effective_at", {"team_id": "acme", "amount": "1", "currency": "USD",
                               "effective_at": "2026-03-01T00:00:00"}),
    ],
)  # fmt: skip
async def test_errors_are_problems_that_name_the_field(town, status, field, body):
    async with calling(town.house) as client:
        answer = await client.post(BASE, json=body)

    assert (answer.status_code, answer.json().get("field")) == (status, field)


async def test_a_balance_far_outside_the_calendar_is_refused(town):
    await town.credits.grant("acme", money(1, repeat=monthly()))

    async with calling(town.house) as client:
        answer = await client.get(f"{BASE}/balance", params={"team_id": "acme", "at": "9999-12-31T23:59:59Z"})

    assert (answer.status_code, answer.json()["field"]) == (422, "at")


# --- On the command line ---------------------------------------------------------------------------


def command(database_url, *arguments):
    """`tallystick credits …` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tallystick", "credits", *arguments],
        env=os.environ | {"DATABASE_URL": database_url}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def test_credits_are_granted_shown_and_voided_on_the_command_line(town, database_url):
    def run(*arguments):
        return asyncio.to_thread(command, database_url, *arguments)

    made = await run("grant", "acme", "--amount", "12.50", "--currency", "USD", "--promotional", "--recurs", "month",
                     "--rollover", "50%", "--from", "2026-03-01T00:00:00Z", "--name", "Welcome")  # fmt: skip
    wrong = await run("grant", "acme", "--amount", "1", "--metric", "nothing")
    listed, balance = await run("list", "acme"), await run("balance", "acme", "--at", "2026-03-10T00:00:00Z")
    ledger, voided = await run("ledger", "acme", "--json"), await run("void", "1", "--reason", "a test")

    assert (made.returncode, made.stdout) == (0, "credit grant 1 (Welcome): 12.5 USD every month for team acme\n")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: there is no metric 'nothing'; there are: api_calls")
    assert listed.stdout.splitlines()[1].split("\t")[:7] == [
        "1", "acme", "Welcome", "promotional", "100", "12.5", "USD / month",
    ]  # fmt: skip
    assert balance.stdout.splitlines()[1].split("\t") == ["USD", "12.5", "0", "0", "0", "12.5", "0"]
    assert '"kind":"grant"' in ledger.stdout
    assert voided.returncode == 0
    assert voided.stderr.startswith("credit grant 1 is void; it had ")
