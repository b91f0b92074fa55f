"""What happens to closed statements afterwards: corrections in another currency, their causes, events, and voids."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.billing.invoices.models import Status
from tallystick.billing.invoices.service import InvoiceService
from tallystick.billing.models import LineKind
from tallystick.billing.preview.service import Hypothesis
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Pause, TeamChanges, Terms
from tallystick.cli.app import main
from tests.integration.billing_setup import CATALOGUE, calling, opened

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
HEAD = """
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]%s}
plans:
"""
PLANS = """
  nippon: {currency: JPY, prices: [{metric: calls, model: per_unit, unit_price: 10}]}
  dollars: {prices: [{metric: calls, model: per_unit, unit_price: 1}]}
"""


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def close(house, at):
    """Close what is due at a moment."""
    house.clock.set(max(at, house.clock.now()))
    return await house.billing.closing.run()


async def closed(house, at):
    """Close, and give the statements that it made, then the corrections."""
    done = await close(house, at + timedelta(hours=2))
    assert not done.failures
    return [await house.billing.statements.closed(id) for id in (*done.statements, *done.corrections)]


async def agrees(house, statement):
    """Whether the raw events give the same."""
    return (await house.billing.verifications.verify(statement.period.id)).agrees


# --- Corrections in another currency ---------------------------------------------------------------


async def test_a_correction_of_what_was_closed_in_another_currency_is_a_statement_of_its_own(house):
    await house.apply(HEAD % "" + PLANS)
    await house.team(plan="nippon")
    await house.billing.teams.subscribe("acme", Terms("dollars", APRIL))
    await house.use(3)
    [march] = await closed(house, APRIL)
    await house.use(4)  # late: 40 yen
    await house.use(5, "2026-04-01T01:00:00Z")

    current = await house.billing.statements.current("acme")
    april, correction = await closed(house, MAY)

    assert (march.period.currency, march.period.total) == ("JPY", 30)
    assert (current.account.billing_currency, current.total) == ("USD", Decimal("5.00"))
    assert (april.period.currency, april.period.total) == ("USD", Decimal("5.00"))
    assert (correction.period.kind, correction.period.currency, correction.period.total) == ("correction", "JPY", 40)
    assert [(line.currency, line.adjusts_period_id) for line in correction.lines] == [("JPY", march.period.id)]
    assert [await agrees(house, each) for each in (april, correction)] == [True, True]


async def test_a_team_that_is_billed_in_another_currency_now_is_corrected_in_the_one_that_was_closed(house):
    rates = "teams: {acme: {exchange_rate: {USD/EUR: 0.5}}}\n"
    await house.team(plan=None)
    await house.apply(HEAD % "" + PLANS + rates)
    await house.billing.teams.update("acme", TeamChanges(currency="EUR"))
    await house.billing.teams.subscribe("acme", Terms("dollars", MARCH))
    await house.use(10)
    [march] = await closed(house, APRIL)
    await house.billing.teams.update("acme", TeamChanges(currency="USD"))
    await house.use(4)

    april, correction = await closed(house, MAY)

    assert (march.period.currency, march.period.total) == ("EUR", Decimal("5.00"))
    assert (april.period.currency, april.period.total) == ("USD", Decimal("0.00"))
    assert (correction.period.currency, correction.period.total) == ("EUR", Decimal("2.00"))
    assert (correction.lines[0].currency, correction.lines[0].total) == ("USD", Decimal("4.00"))
    assert (await closed(house, MAY + timedelta(days=31)))[0].period.total == 0
    assert [await agrees(house, each) for each in (april, correction)] == [True, True]


async def test_what_a_trial_had_kept_free_is_converted_when_it_is_charged_after_all(house):
    await house.team(plan=None)
    await house.apply(HEAD % "" + PLANS + "teams: {acme: {currency: EUR, exchange_rate: {USD/EUR: 0.5}}}\n")
    await house.billing.teams.subscribe("acme", Terms("dollars", MARCH))
    [march] = await closed(house, APRIL)
    fees = "  dollars: {fees: [{name: base, amount: 31, effective_from: 2026-01-01T00:00:00Z}], prices: []}\n"
    house.clock.advance(timedelta(minutes=5))
    await house.apply(HEAD % "" + fees)

    [april] = await closed(house, MAY)

    assert march.period.total == 0
    [line] = [each for each in april.lines if each.kind is LineKind.ADJUSTMENT and each.name == "base"]
    assert (line.total, line.converted_total) == (Decimal("31.00"), Decimal("15.50"))


# --- Causes and events -----------------------------------------------------------------------------


async def test_an_adjustment_names_the_price_that_is_another_and_no_other(house):
    plan = (
        "  plan: {prices: [{metric: calls, model: per_unit, unit_price: %s%s}], fees: [{name: base, amount: %s%s}]}\n"
    )
    await house.apply(HEAD % "" + plan % (1, "", 10, ""))
    await house.team(plan="plan")
    await house.use(3)
    await closed(house, APRIL)
    since = ", effective_from: 2026-01-01T00:00:00Z"
    house.clock.advance(timedelta(minutes=5))
    await house.apply(HEAD % "" + plan % (2, since, 20, since))

    statement = await house.billing.statements.current("acme")

    found = {line.name: line.adjusts.cause.terms for line in statement.lines if line.adjusts}
    assert found == {"calls": ("price calls",), "base": ("price base",)}


async def test_an_adjustment_names_the_metric_whose_definition_is_another(house):
    await house.apply(HEAD % "" + PLANS)
    await house.team(plan="dollars")
    await house.use(3, metadata={"real": 7})
    [march] = await closed(house, APRIL)
    house.clock.advance(timedelta(minutes=5))
    await house.apply(HEAD % ", value: metadata.real, effective_from: 2026-01-01T00:00:00Z" + PLANS)

    statement = await house.billing.statements.current("acme")
    [line] = [line for line in statement.lines if line.adjusts]

    assert (line.total, line.adjusts.cause.terms) == (Decimal("4.00"), ("metric calls",))
    page = await house.billing.explanations.events(march.lines[0].id, 10)
    assert page.values == [3]


async def test_a_statement_of_a_past_moment_names_only_what_was_not_booked_then(house):
    await house.apply(HEAD % "" + PLANS)
    await house.team(plan="dollars")
    await closed(house, APRIL)
    await house.use(1, idempotency_key="first")
    await closed(house, MAY)
    house.clock.advance(timedelta(minutes=5))
    await house.use(2, idempotency_key="second")
    house.clock.advance(timedelta(minutes=5))
    then = house.clock.now()
    before = await house.billing.statements.current("acme")
    await closed(house, MAY + timedelta(days=31))

    past = await house.billing.statements.current("acme", known_at=then)

    [was], [found] = ([line.adjusts for line in each.lines if line.adjusts] for each in (before, past))
    assert (found, found.cause.late) == (was, 1)


async def test_the_events_behind_a_line_leave_out_what_a_pause_took_out_page_by_page(house):
    await house.team(plan=None)
    await house.apply(HEAD % "" + PLANS)
    await house.billing.teams.subscribe("acme", Terms("dollars", MARCH))
    async with house.database.transaction() as tx:
        for day in (10, 20):
            start = datetime(2026, 3, day, tzinfo=UTC)
            await store.insert_pause(tx, "acme", Pause(start, start + timedelta(days=5)), house.clock.now())
    house.clock.set(APRIL)
    for day in range(1, 31):
        await house.use(day, f"2026-03-{day:02}T12:00:00Z")
    [march] = await closed(house, APRIL)
    line = next(each for each in march.lines if each.reason is None)

    found: list[Decimal] = []
    for limit in range(1, 22):
        found, after = [], None
        while True:
            page = await house.billing.explanations.events(line.id, limit, after)
            assert len(page.events) <= limit
            found += page.values
            if (after := page.after) is None:
                break
        assert found == [day for day in range(30, 0, -1) if not (10 <= day < 15 or 20 <= day < 25)]
    assert (len(found), sum(found)) == (line.events, line.quantity)


# --- Taken back ------------------------------------------------------------------------------------


async def test_an_invoiced_statement_is_made_void_after_its_invoice_and_closed_and_invoiced_anew(house):
    await house.apply(CATALOGUE + "billing: {invoice: {entity: Northwind}}\n")
    await house.team()
    await house.use(150_000)
    [march] = await closed(house, APRIL)
    invoice = await InvoiceService(house.database, house.clock).finalize_statement(march.period.id)
    path, reason = f"/api/billing/statements/{march.period.id}/void", {"reason": "wrong plan"}

    async with calling(house) as client:
        refused = await client.post(path, json=reason)
        taken_back = await client.post(f"/api/billing/invoices/{invoice.id}/void", json=reason)
        statement = (await client.get(f"/api/billing/statements/{march.period.id}")).json()
        void = await client.post(path, json=reason)
        await house.use(1_000)
        house.clock.advance(timedelta(minutes=1))
        [number] = (await client.post("/api/billing/close")).json()["statements"]
        made = (await client.post("/api/billing/invoices", json={"statement_id": number})).json()
        final = (await client.post(f"/api/billing/invoices/{made['id']}/finalize")).json()
        documents = (await client.get("/api/billing/invoices")).json()["data"]

    assert (refused.status_code, "void its invoice first" in refused.json()["detail"]) == (409, True)
    assert (taken_back.json()["status"], statement["status"], void.json()["status"]) == (Status.VOID, "closed", "void")
    assert (final["number"], final["due"]) == ("INV-00002", "130.80")
    assert sum(Decimal(each["due"]) for each in documents) == Decimal("130.80")


# --- Previews and tables ---------------------------------------------------------------------------


async def test_a_preview_on_a_plan_s_bare_name_is_on_its_newest_version(house):
    plan = "  plan: {version: %s, prices: [{metric: calls, model: per_unit, unit_price: %s}]}\n"
    for version in (1, 2):
        await house.apply(HEAD % "" + plan % (version, version))
    await house.team(plan="plan")
    await house.use(5)

    named = [await house.billing.previews.hypothetical(name, [Hypothesis("calls", Decimal(3))])
             for name in ("plan", "plan@2")]  # fmt: skip
    what_if = await house.billing.previews.instead("acme", "plan")

    assert [each.total for each in named] == [Decimal("6.00"), Decimal("6.00")]
    assert what_if.instead.total == Decimal("10.00")


async def test_the_commands_tell_cells_apart_and_count_one_as_one(house, database_url, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database_url)
    now = datetime.now(UTC)
    this_month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if now - this_month < timedelta(hours=2):
        pytest.skip("the month before may be inside its grace")
    house.clock.set(now)
    rates = "rates: {eu: {unit_price: 2}, us: {unit_price: 3}}"
    await house.apply(
        HEAD % "" + f"  plan: {{prices: [{{metric: calls, model: matrix, dimensions: [region], {rates}}}]}}\n"
    )
    await house.team(plan="plan", starts_at=(this_month - timedelta(days=1)).replace(day=1))
    for region in ("eu", "us"):
        await house.use(5, this_month.isoformat(), metadata={"region": region})

    assert await asyncio.to_thread(main, ["close"]) == 0
    said = capsys.readouterr().out
    assert await asyncio.to_thread(main, ["report", "--team", "acme"]) == 0
    shown = capsys.readouterr().out

    assert said == "1 statement closed, 0 corrections, 0 adjustments\n"
    assert [row.split("\t")[-1] for row in shown.splitlines() if "\tper_unit\t" in row] == ["region: eu", "region: us"]
