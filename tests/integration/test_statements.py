"""What a statement is made of: names, fees, trials and pauses, schedules, cells, discounts, minimum, commitment."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from tallystick.billing.models import LineKind
from tallystick.billing.preview.service import Hypothesis
from tallystick.billing.report import ReportRequest
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Pause, Terms
from tests.integration.billing_setup import calling, opened

HEAD = """
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call, dimensions: [region]}
  payments: {event: payment, aggregation: sum, unit: USD}
  disk: {event: disk, aggregation: time_weighted, unit: GB-hour, value_unit: GB}
plans:
  plan:
"""
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def on(house, plan, teams="", **terms):
    """A team on a plan of its own since 1 March, with the clock at the end of the month."""
    await house.apply(HEAD + "".join(f"    {line}\n" for line in plan.strip().splitlines()) + teams)
    if not teams:
        await house.team(plan="plan", **terms)
    house.clock.set(APRIL - timedelta(microseconds=1))


async def shown(house):
    """The open statement's lines as (key without its instant, quantity, total)."""
    statement = await house.billing.statements.current("acme")
    return [(line.key.split("@")[0], line.quantity, line.total) for line in statement.lines]


async def test_a_fee_is_a_line_of_its_own_and_prorated_to_the_instant(house):
    await on(house, "fees: [{name: base, amount: 31}]\nprices: []", starts_at=datetime(2026, 3, 11, tzinfo=UTC))

    assert await shown(house) == [("fee:base", 1, Decimal("21.00"))]


async def test_several_prices_of_one_metric_are_told_apart_by_their_names(house):
    await on(
        house,
        """
prices:
  - {metric: calls, name: eu calls, model: per_unit, unit_price: 1, where: {region: eu}}
  - {metric: calls, name: us calls, model: per_unit, unit_price: 2, where: {region: us}}
""",
    )
    await house.use(3, metadata={"region": "eu"})
    await house.use(4, metadata={"region": "us"})

    assert await shown(house) == [("usage:eu calls", 3, Decimal("3.00")), ("usage:us calls", 4, Decimal("8.00"))]
    [metric, *_] = (await house.billing.reports.report(ReportRequest("acme", ("calls",)))).metrics
    assert (metric.usage, metric.cost.total) == (7, Decimal("11.00"))


async def test_a_matrix_is_rated_by_dimension_and_says_what_has_no_rate(house):
    await on(
        house,
        """
prices:
  - {metric: calls, model: matrix, dimensions: [region], rates: [
      {region: eu, unit_price: 2}, {region: us, unit_price: 3}]}
""",
    )
    for quantity, region in ((5, "eu"), (7, "us"), (11, "mars")):
        await house.use(quantity, metadata={"region": region})

    [line] = (await house.billing.statements.current("acme")).lines

    assert (line.quantity, line.total, line.charge.unpriced) == (23, Decimal("31.00"), 11)


async def test_usage_is_rated_by_the_band_of_the_schedule_it_happened_in(house):
    await on(
        house,
        """
prices:
  - metric: calls
    model: matrix
    dimensions: [schedule]
    schedule: {time_zone: UTC, bands: [{name: peak, hours: ["08:00-20:00"]}], otherwise: night}
    rates: [{schedule: peak, unit_price: 3}, {schedule: night, unit_price: 1}]
""",
    )
    await house.use(10, "2026-03-05T07:59:59Z")
    await house.use(100, "2026-03-05T08:00:00Z")

    assert await shown(house) == [("usage:calls", 110, Decimal("310.00"))]


async def test_each_event_of_a_percentage_has_its_own_fee(house):
    await on(house, "prices: [{metric: payments, model: percentage, rate: 2.9, fixed_fee: 0.30}]")
    for amount in ("100", "50"):
        await house.use(amount, event_name="payment")

    assert await shown(house) == [("usage:payments", 150, Decimal("4.95"))]


async def test_a_peak_is_rated_once(house):
    await on(house, "prices: [{metric: disk, model: per_unit, unit_price: 0.5, measure: peak}]")
    await house.use(4, "2026-03-02T00:00:00Z", event_name="disk")
    await house.use(9, "2026-03-03T00:00:00Z", event_name="disk")
    await house.use(1, "2026-03-04T00:00:00Z", event_name="disk")

    assert await shown(house) == [("usage:disk", 9, Decimal("4.50"))]


@pytest.mark.parametrize(("measure", "unit"), [("total", "GB-hour"), ("average", "GB"), ("peak", "GB")])
async def test_an_average_or_peak_is_in_the_unit_of_the_level(house, measure, unit):
    await on(house, f"prices: [{{metric: disk, model: per_unit, unit_price: 0.5, measure: {measure}}}]")
    await house.use(4, "2026-03-02T00:00:00Z", event_name="disk")

    [line] = (await house.billing.statements.current("acme")).lines
    [metric] = (await house.billing.reports.report(ReportRequest("acme", ("disk",)))).metrics

    assert (line.unit, [each.unit for each in metric.cost.lines]) == (unit, [unit])
    assert metric.definition.unit == "GB-hour"  # the row of the metric is about its usage


async def test_a_trial_costs_nothing_and_shows_what_was_used(house):
    await on(
        house,
        "trial_days: 10\nfees: [{name: base, amount: 31}]\nprices: [{metric: calls, model: per_unit, unit_price: 1}]",
    )
    await house.use(5, "2026-03-05T00:00:00Z")
    await house.use(7, "2026-03-15T00:00:00Z")

    statement = await house.billing.statements.current("acme")

    assert [(line.kind, line.quantity, line.total, line.reason) for line in statement.lines] == [
        (LineKind.USAGE, 7, Decimal("7.00"), None),
        (LineKind.USAGE, 5, None, "trial"),
        (LineKind.FEE, 1, Decimal("21.00"), None),
        (LineKind.FEE, 0, None, "trial"),
    ]


async def test_discounts_minimum_and_commitment_come_after_the_lines(house):
    await on(
        house,
        """
discounts: [{percent: 10, metrics: [calls]}, {amount: 5}]
minimum: 100
prices: [{metric: calls, model: per_unit, unit_price: 1}]
""",
    )
    await house.use(50)

    assert await shown(house) == [
        ("usage:calls", 50, Decimal("45.00")),
        ("discount:discount:2", 1, Decimal("-5.00")),
        ("commitment:minimum", 1, Decimal("60.00")),
    ]


async def test_a_commitment_is_trued_up_when_the_period_is_over_and_not_before(house):
    await on(house, "commitment: {amount: 100}\nprices: [{metric: calls, model: per_unit, unit_price: 1}]")
    await house.use(30)

    before = await house.billing.statements.current("acme")
    house.clock.set(APRIL + timedelta(hours=1))
    [id] = (await house.billing.closing.run()).statements

    assert before.total == Decimal("30.00")
    assert (await house.billing.statements.closed(id)).period.total == Decimal("100.00")


async def test_a_team_s_own_price_takes_the_place_of_the_plan_s(house):
    await on(
        house,
        "prices: [{metric: calls, model: per_unit, unit_price: 1}]",
        teams="teams:\n  acme: {plan: plan, start: 2026-03-01, prices: [{metric: calls, model: per_unit, "
        "unit_price: 0.5}]}\n",
    )
    await house.use(10)

    assert await shown(house) == [("usage:calls", 10, Decimal("5.00"))]


async def test_a_team_is_billed_in_its_own_currency_line_by_line(house):
    await on(
        house,
        "prices: [{metric: calls, model: per_unit, unit_price: 1}]",
        teams="teams:\n  acme: {plan: plan, start: 2026-03-01, currency: EUR, exchange_rate: {USD/EUR: 0.9}}\n",
    )
    await house.use(11)
    house.clock.set(APRIL + timedelta(hours=1))

    [id] = (await house.billing.closing.run()).statements
    statement = await house.billing.statements.closed(id)

    [line] = statement.lines
    assert (line.total, line.converted_total, line.exchange_rate) == (Decimal("11.00"), Decimal("9.90"), Decimal("0.9"))
    assert (statement.period.currency, statement.period.total) == ("EUR", Decimal("9.90"))
    assert (await house.billing.verifications.verify(id)).agrees


async def test_a_line_is_explained_down_to_its_events_and_every_level_adds_up(house):
    await on(house, "prices: [{metric: calls, model: per_unit, unit_price: 1}]")
    for day, quantity, region in ((2, 5, "eu"), (2, 7, "us"), (9, 11, "eu")):
        await house.use(quantity, f"2026-03-{day:02}T12:00:00Z", metadata={"region": region})
    house.clock.set(APRIL + timedelta(hours=1))
    [id] = (await house.billing.closing.run()).statements
    await house.use(100, "2026-03-20T00:00:00Z")
    [line] = (await house.billing.statements.closed(id)).lines
    house.clock.set(APRIL + timedelta(days=31))
    [next_id] = (await house.billing.closing.run()).statements

    async with calling(house) as client:
        told = (await client.get(f"/api/billing/lines/{line.id}/explain")).json()
        events = (await client.get(f"/api/billing/lines/{line.id}/events", params={"limit": 2})).json()
        asked = {"limit": 2, "cursor": events["next_cursor"]}
        rest = (await client.get(f"/api/billing/lines/{line.id}/events", params=asked)).json()
        lines = (await client.get(f"/api/billing/statements/{next_id}")).json()["lines"]
        [adjustment] = [each for each in lines if each["kind"] == "adjustment"]
        causes = (await client.get(f"/api/billing/lines/{adjustment['id']}/events")).json()

    assert [(each["dimensions"]["region"], each["quantity"]) for each in told["usage"]] == [
        ("eu", "5"),
        ("us", "7"),
        ("eu", "11"),
    ]
    assert told["usage_total"] == told["line"]["quantity"] == "23"
    assert (told["line"]["total"], told["booked"]) == ("23.00", "123.00")
    assert sorted(int(each["value"]) for each in events["data"] + rest["data"]) == [5, 7, 11]
    assert [(each["cause"], each["value"]) for each in causes["data"]] == [("late", "100")]


async def test_days_of_a_level_add_up_to_the_line_though_each_is_a_quotient(house):
    await on(house, "prices: [{metric: disk, model: per_unit, unit_price: 1}]")
    for day in (2, 5, 9, 21):
        at = f"2026-03-{day:02}T12:00:0{day % 7}Z"
        await house.use(day, at, event_name="disk", unit="GB")
    house.clock.set(APRIL + timedelta(hours=1))
    [id] = (await house.billing.closing.run()).statements
    [line] = [each for each in (await house.billing.statements.closed(id)).lines if each.metric == "disk"]

    told = await house.billing.explanations.explain(line.id)

    assert len(told.usage) == 30
    assert sum(Fraction(usage.quantity) for usage in told.usage) == Fraction(line.quantity)
    assert told.usage_total == line.quantity


async def test_a_preview_is_charged_like_the_statement_it_foresees(house):
    await on(
        house,
        """
minimum: 10
fees: [{name: base, amount: 4}]
prices: [{metric: calls, model: graduated, tiers: [{up_to: 10, unit_price: 0}, {unit_price: 0.5}]}]
""",
    )
    await house.use(30)

    preview = await house.billing.previews.hypothetical("plan", [Hypothesis("calls", Decimal(30))])
    real = await house.billing.statements.current("acme")

    assert preview.total == real.total == Decimal("14.00")


async def test_what_if_rates_the_real_usage_on_another_plan(house):
    await house.team()
    await house.use(150_000)

    async with calling(house) as client:
        asked = {"team_id": "acme", "plan": "changing"}
        answer = (await client.post("/api/billing/preview", json=asked)).json()

    assert (answer["now"]["total"], answer["statement"]["total"]) == ("130.00", "1500.00")
    assert answer["difference"] == "1370.00"


async def test_a_pause_takes_usage_out_without_splitting_the_tiers(house):
    await house.team(plan=None)
    await house.apply(HEAD + "    prices: [{metric: calls, model: graduated, tiers: [{up_to: 10, unit_price: 0}, "
                      "{unit_price: 1}]}]\n")  # fmt: skip
    await house.billing.teams.subscribe("acme", Terms("plan", datetime(2026, 3, 1, tzinfo=UTC)))
    async with house.database.transaction() as tx:
        pause = Pause(datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 22, tzinfo=UTC))
        await store.insert_pause(tx, "acme", pause, house.clock.now())
    await house.use(8, "2026-03-12T00:00:00Z")
    house.clock.set(APRIL - timedelta(microseconds=1))
    await house.use(100, "2026-03-21T00:00:00Z")
    await house.use(5, "2026-03-23T00:00:00Z")

    assert await shown(house) == [("usage:calls", 13, Decimal("3.00")), ("usage:calls", 100, None)]


async def test_fees_and_what_is_about_the_whole_statement_are_in_the_totals_of_a_full_report(house):
    await on(
        house,
        """
minimum: 60
fees: [{name: base, amount: 31}]
prices: [{metric: calls, model: per_unit, unit_price: 1}]
""",
    )
    house.clock.set(datetime(2026, 3, 16, 12, tzinfo=UTC))  # half of March
    await house.use(10)

    told = await house.billing.reports.report(ReportRequest("acme"))

    assert [(line.name, line.total) for line in told.others] == [
        ("base", Decimal("31.00")),
        ("minimum", Decimal("19.00")),
    ]
    assert (told.total, told.projected_total) == (Decimal("60.00"), Decimal("60.00"))
    assert told.total == (await house.billing.statements.current("acme")).total


async def test_late_usage_that_is_ignored_is_recorded_once_and_charges_nothing(house):
    await on(house, "prices: [{metric: calls, model: per_unit, unit_price: 1}]")
    source = HEAD.replace("currency: USD", "currency: USD\nbilling: {late_usage: ignore}")
    await house.apply(source + "    prices: [{metric: calls, model: per_unit, unit_price: 1}]\n")
    house.clock.set(APRIL + timedelta(hours=1))
    await house.billing.closing.run()
    await house.use(5, "2026-03-20T00:00:00Z")

    found = []
    for days in (31, 62):
        house.clock.set(APRIL + timedelta(days=days))
        [id] = (await house.billing.closing.run()).statements
        found.append(await house.billing.statements.closed(id))

    [line] = [line for line in found[0].lines if line.kind is LineKind.ADJUSTMENT]
    assert (line.quantity, line.total, line.reason) == (5, None, "ignored")
    assert line.cause["would_be"]["total"] == "5"
    assert [statement.period.total for statement in found] == [0, 0]
    assert all(line.kind is not LineKind.ADJUSTMENT for line in found[1].lines)


async def test_late_usage_can_become_a_statement_of_its_own(house):
    await on(house, "prices: [{metric: calls, model: per_unit, unit_price: 1}]")
    source = HEAD.replace("currency: USD", "currency: USD\nbilling: {late_usage: credit_note}")
    await house.apply(source + "    prices: [{metric: calls, model: per_unit, unit_price: 1}]\n")
    house.clock.set(APRIL + timedelta(hours=1))
    [march] = (await house.billing.closing.run()).statements
    await house.use(5, "2026-03-20T00:00:00Z")
    house.clock.advance(timedelta(minutes=1))

    done = await house.billing.closing.run()
    again = await house.billing.closing.run()

    [id] = done.corrections
    correction = await house.billing.statements.closed(id)
    assert (correction.period.kind, correction.period.total) == ("correction", Decimal("5.00"))
    assert [line.adjusts_period_id for line in correction.lines] == [march]
    assert (again.statements, again.corrections) == ((), ())
    assert (await house.billing.verifications.verify(id)).agrees


async def test_credits_pay_a_statement_when_it_is_closed_and_are_given_back_when_it_is_void(house):
    await on(house, "prices: [{metric: calls, model: per_unit, unit_price: 1}]")
    await house.use(30)
    async with calling(house) as client:
        grant = {"team_id": "acme", "amount": "20", "currency": "USD", "effective_at": "2026-03-01T00:00:00Z"}
        made = await client.post("/api/billing/credits", json=grant)
    assert made.status_code < 300, made.text
    foreseen = await house.billing.statements.current("acme")
    house.clock.set(APRIL + timedelta(hours=1))

    [id] = (await house.billing.closing.run()).statements
    statement = await house.billing.statements.closed(id)
    await house.billing.closing.void(id, "test", "test")
    [anew] = (await house.billing.closing.run()).statements

    assert (foreseen.credits, foreseen.total) == (20, Decimal("10.00"))
    assert (statement.period.subtotal, statement.period.credits, statement.period.total) == (30, 20, 10)
    assert (await house.billing.statements.closed(anew)).period.total == 10


async def test_before_anything_was_recorded_a_team_had_no_subscription_and_no_metric(house):
    began = house.clock.now()
    house.clock.advance(timedelta(days=1))
    await on(house, "prices: [{metric: calls, model: per_unit, unit_price: 1}]")
    await house.use(3)
    then = await house.billing.statements.current("acme", known_at=began - timedelta(days=1))
    assert (then.lines, then.total, then.reason) == ([], None, "the team has no subscription")
