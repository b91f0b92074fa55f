"""Closing periods: once, for good, corrected by adjustments that add up, and reproducible."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tallystick.billing.models import LineKind
from tallystick.cli.app import main
from tallystick.core.errors import Conflict, NotFound
from tests.integration.billing_setup import calling, opened

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def close(house, at=APRIL + timedelta(hours=2), **asked):
    """Close what is due at a moment."""
    house.clock.set(max(at, house.clock.now()))
    return await house.billing.closing.run(**asked)


async def closed(house, at=APRIL + timedelta(hours=2)):
    """Close, and give the one statement that it made."""
    [id] = (await close(house, at)).statements
    return await house.billing.statements.closed(id)


async def test_a_closed_statement_is_the_open_one_frozen(house):
    await house.team()
    await house.use(150_000)
    await house.use(8, event_name="load")
    house.clock.set(APRIL - timedelta(seconds=1))
    before = await house.billing.statements.current("acme")

    statement = await closed(house)

    assert statement.period.total == before.total == Decimal("146.00")
    assert [(line.key, line.total) for line in statement.lines] == [(line.key, line.total) for line in before.lines]
    assert [step["amount"] for step in statement.lines[0].steps] == ["0", "90", "40"]
    assert statement.intact


async def test_a_period_is_closed_after_its_grace_and_once(house):
    await house.team()

    early = await close(house, APRIL + timedelta(minutes=59))
    first = await close(house, APRIL + timedelta(minutes=60))
    again = await close(house, APRIL + timedelta(minutes=61))

    assert [len(done.statements) for done in (early, first, again)] == [0, 1, 0]


async def test_two_runs_at_once_close_every_period_once(house):
    for number in range(5):
        await house.team(f"team-{number}")
    house.clock.set(APRIL + timedelta(days=40))

    done = await asyncio.gather(*(house.billing.closing.run() for _ in range(3)))

    assert sum(len(each.statements) for each in done) == 10
    assert len(await house.kept()) == 10


async def test_a_run_that_is_asked_for_one_team_or_up_to_a_moment_closes_that(house):
    await house.team("acme")
    await house.team("globex")
    house.clock.set(APRIL + timedelta(days=40))

    one = await house.billing.closing.run(team_id="acme", until=APRIL + timedelta(hours=1))
    rest = await house.billing.closing.run()

    assert (len(one.statements), len(rest.statements)) == (1, 3)
    with pytest.raises(NotFound, match="there is no team 'initech'"):
        await house.billing.closing.run(team_id="initech")


async def test_late_usage_becomes_an_adjustment_on_the_next_statement_with_its_cause(house):
    await house.team()
    await house.use(10_000)
    march = await closed(house)
    await house.use(1_000, "2026-03-20T00:00:00Z")

    current = await house.billing.statements.current("acme")
    april = await closed(house, APRIL + timedelta(days=31))
    [line] = [line for line in april.lines if line.kind is LineKind.ADJUSTMENT]

    assert (line.total, line.quantity) == (Decimal("1.00"), 1_000)
    assert (line.adjusts_period_id, line.adjusts_key) == (march.period.id, march.lines[0].key)
    assert (line.cause["late"], len(line.cause["events"])) == (1, 1)
    assert (current.total, april.period.total) == (Decimal("1.00"), Decimal("1.00"))
    assert (await house.billing.statements.closed(march.period.id)) == march._replace(
        period=(await house.billing.statements.closed(march.period.id)).period
    )


async def test_an_adjustment_is_booked_once(house):
    await house.team()
    await house.use(10_000)
    await closed(house)
    await house.use(1_000, "2026-03-20T00:00:00Z")
    await closed(house, APRIL + timedelta(days=31))

    may = await closed(house, APRIL + timedelta(days=62))

    assert may.period.total == 0
    assert all(line.kind is not LineKind.ADJUSTMENT for line in may.lines)


async def test_a_price_that_is_corrected_after_closing_is_adjusted(house):
    await house.team(plan="yen")
    await house.use(10_000, "2026-03-03T00:00:00Z")
    await close(house)
    source = (
        "version: 1\ncurrency: USD\nmetrics:\n"
        "  api_calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}\n"
        "plans:\n  yen:\n    currency: JPY\n    period: week\n    prices:\n"
        "      - {metric: api_calls, model: per_unit, unit_price: 0.001, effective_from: 2026-01-01T00:00:00Z}\n"
    )
    house.clock.advance(timedelta(minutes=1))
    await house.apply(source)

    statement = await house.billing.statements.current("acme")
    lines = [line for line in statement.lines if line.kind is LineKind.ADJUSTMENT]

    assert sum(line.total for line in lines) == 5
    assert lines[0].adjusts.cause.terms == ("price api_calls",)


async def test_a_closed_statement_can_not_be_changed_even_by_sql(house, database_url):
    await house.team()
    await closed(house)

    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for statement in (
            "UPDATE statement_lines SET total = 1",
            "DELETE FROM statement_lines",
            "UPDATE metered_billing_periods SET total = 1",
            "UPDATE metered_billing_periods SET status = 'active'",
            "DELETE FROM metered_billing_periods",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation):
                await connection.execute(statement)


async def test_a_void_statement_is_closed_anew_and_what_it_adjusted_is_adjusted_again(house):
    await house.team()
    await house.use(10_000)
    march = await closed(house)
    await house.use(1_000, "2026-03-20T00:00:00Z")
    april = await closed(house, APRIL + timedelta(days=31))

    with pytest.raises(Conflict, match=f"is adjusted by statement {april.period.id}; void that first"):
        await house.billing.closing.void(march.period.id, "wrong", "test")
    void = await house.billing.closing.void(april.period.id, "wrong", "test")
    anew = await closed(house)

    assert (void.status, void.void_reason) == ("void", "wrong")
    assert anew.period.total == april.period.total == Decimal("1.00")
    with pytest.raises(Conflict, match="is void already"):
        await house.billing.closing.void(april.period.id, "wrong", "test")


async def test_a_statement_is_verified_from_raw_events_as_they_were_known(house):
    await house.team()
    await house.use(150_000)
    statement = await closed(house)
    await house.use(5_000, "2026-03-20T00:00:00Z")
    april = await closed(house, APRIL + timedelta(days=31))

    for each in (statement, april):
        found = await house.billing.verifications.verify(each.period.id)
        assert (found.intact, found.differences) == (True, [])


async def test_a_statement_of_a_past_moment_knows_nothing_of_what_came_later(house):
    await house.team()
    await house.use(20_000)
    house.clock.advance(timedelta(hours=1))
    then = house.clock.now()
    house.clock.advance(timedelta(hours=1))
    await house.use(5_000)

    past = await house.billing.statements.current("acme", known_at=then)
    now = await house.billing.statements.current("acme")

    assert (past.total, now.total) == (Decimal("10.00"), Decimal("15.00"))


async def test_closing_over_http(house):
    await house.team()
    await house.use(150_000)
    house.clock.set(APRIL + timedelta(hours=2))

    async with calling(house) as client:
        done = (await client.post("/api/billing/close")).json()
        [id] = done["statements"]
        statement = (await client.get(f"/api/billing/statements/{id}")).json()
        periods = (await client.get("/api/billing/periods", params={"team_id": "acme"})).json()
        verified = (await client.get(f"/api/billing/statements/{id}/verify")).json()
        current = (await client.get("/api/billing/statements/current", params={"team_id": "acme"})).json()
        void = (await client.post(f"/api/billing/statements/{id}/void", json={"reason": "test"})).json()

    assert (statement["total"], statement["status"]) == ("130.00", "closed")
    assert [each["id"] for each in periods["data"]] == [id]
    assert verified["agrees"]
    assert current["total"] == "0.00"
    assert void["status"] == "void"


# --- On the command line ---------------------------------------------------------------------------


@pytest.fixture
async def command(house, database_url, monkeypatch, capsys):
    """Runs a command on a team that used 150,000 calls in the last whole month; gives its code and output."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    house.clock.set(datetime.now(UTC))
    this_month = house.clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (this_month - timedelta(days=1)).replace(day=1)
    await house.team(starts_at=start)
    await house.use(150_000, start.isoformat(), metadata={"region": "eu"})

    async def run(*arguments):
        code = await asyncio.to_thread(main, list(arguments))
        return code, *capsys.readouterr()

    return run


async def test_the_commands_close_show_explain_and_verify(command):
    now = datetime.now(UTC)
    if now.day == 1 and now.hour < 2:
        pytest.skip("the month before may be inside its grace")

    closed_code, said, _ = await command("close", "--json")
    [number] = json.loads(said)["statements"]
    _, shown, remarks = await command("statement", str(number))
    line = shown.splitlines()[1].split("\t")
    _, explained, notes = await command("explain", line[0])
    verified = await command("verify", str(number))
    unknown = await command("statement", "99999")

    assert closed_code == 0
    assert (line[1], line[2], line[7]) == ("usage", "api_calls", "130.00")
    assert "USD 130.00, credits 0.00, due 130.00" in remarks
    assert "tier\t90000\t0.001\t90\t" in explained
    assert "booked by now: 130.00 USD" in notes
    assert (verified[0], verified[1].splitlines()[-1]) == (0, "the raw events give the same")
    assert (unknown[0], unknown[2]) == (1, "error: there is no closed statement 99999\n")


async def test_the_command_cuts_a_long_quotient_off_in_the_table_alone(house, command):
    await house.apply(
        """
version: 1
currency: USD
metrics: {latency: {event: load, aggregation: average, unit: ms}}
plans: {standard: {prices: [{metric: latency, model: per_unit, unit_price: 1}]}}
"""
    )
    for quantity in (1, 0, 0):
        await house.use(quantity, house.clock.now().isoformat(), event_name="load")

    _, table, _ = await command("statement", "acme")
    _, document, _ = await command("statement", "acme", "--json")

    [line] = [line for line in json.loads(document)["lines"] if line["name"] == "latency"]
    assert line["quantity"] == f"0.{'3' * 100}"
    assert [row.split("\t")[5] for row in table.splitlines() if "latency" in row] == [f"0.{'3' * 12}…"]


async def test_closing_that_nobody_asked_for_waits_for_the_usage_of_a_past_that_was_subscribed_to_afterwards(house):
    house.clock.set(APRIL + timedelta(hours=5))
    await house.team()

    patient = await house.billing.closing.run(patient=True)
    house.clock.advance(timedelta(days=1))
    later = await house.billing.closing.run(patient=True)

    assert (patient.statements, len(later.statements)) == ((), 1)
