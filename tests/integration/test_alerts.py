"""Alerts on a real database: a limit that is crossed is told once, with the numbers of the bill."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.alerts.models import Kind, State
from tallystick.alerts.requests import AlertRequest
from tallystick.alerts.service import Alerts
from tallystick.alerts.spending import cost_of
from tallystick.alerts.terms import AlertTerms, StepTerms
from tallystick.billing.charging import usage_of
from tallystick.billing.credits.service import Credits
from tallystick.billing.report import ReportRequest
from tallystick.billing.teams.models import TeamChanges
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tests.integration.alerts_setup import at, opened_tower
from tests.integration.credits_setup import money

APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


async def void(tower, key):
    """Take back the event of that key."""
    [(id,)] = await tower.rows("SELECT id FROM usage_events WHERE idempotency_key = %s", key)
    await tower.house.metering.corrections.void(id, "wrong", "test")


# --- Once per step and period ----------------------------------------------------------------------


async def test_a_limit_that_is_reached_is_told_with_the_number_that_reached_it(tower):
    await tower.add("usage", 100)
    await tower.house.use(99)
    await tower.look()
    assert await tower.told() == []

    await tower.house.use(1)
    await tower.look()

    assert await tower.told() == [("alert.exceeded", "acme: api_calls reached 100 call")]
    assert await tower.states() == [("exceeded", "100")]


async def test_every_step_is_told_once_and_a_step_short_of_the_threshold_is_a_warning(tower):
    await tower.add("usage", 100, at(80), at(100), at(120, hard=True))
    for _ in range(13):
        await tower.house.use(10)
        await tower.look()

    assert await tower.kinds() == ["alert.warning", "alert.exceeded", "alert.exceeded"]
    assert await tower.states() == [("warning", "80"), ("exceeded", "100"), ("exceeded", "120")]
    urgent = await tower.rows("SELECT urgent FROM notifications WHERE kind LIKE 'alert.%%' ORDER BY id")
    assert [each for (each,) in urgent] == [False, False, True]


async def test_one_jump_over_all_steps_tells_each_of_them(tower):
    await tower.add("usage", 100, at(80), at(100), at(120))

    await tower.house.use(1000)
    await tower.look()

    assert await tower.kinds() == ["alert.warning", "alert.exceeded", "alert.exceeded"]


async def test_looking_again_and_rolling_up_again_tells_nothing_more(tower):
    await tower.add("usage", 100)
    await tower.house.use(150)
    await tower.look()
    for _ in range(3):
        await tower.house.use(1)
        assert (await tower.look()).transitions == 0

    assert await tower.kinds() == ["alert.exceeded"]


async def test_a_correction_below_the_limit_resolves_and_says_so_and_crossing_it_again_is_not_told_again(tower):
    await tower.add("usage", 100)
    await tower.house.use(60)
    await tower.house.use(60, idempotency_key="wrong")
    await tower.look()
    await void(tower, "wrong")
    await tower.look()
    assert await tower.kinds() == ["alert.exceeded", "alert.resolved"]

    await tower.house.use(70, idempotency_key="also wrong")
    await tower.look()
    await void(tower, "also wrong")
    await tower.look()

    assert await tower.kinds() == ["alert.exceeded", "alert.resolved"]
    assert await tower.states() == [("exceeded", "120"), ("resolved", "60"), ("exceeded", "130"), ("resolved", "60")]
    assert [each.told for each in await tower.history()] == [True, True, False, False]


async def test_a_new_period_is_armed_again(tower):
    await tower.add("usage", 100)
    await tower.house.use(150)
    await tower.look()
    tower.house.clock.set(APRIL + timedelta(hours=2))
    await tower.house.use(50, at="2026-04-01T01:00:00Z")
    await tower.look()
    assert await tower.kinds() == ["alert.exceeded"]

    await tower.house.use(50, at="2026-04-01T01:30:00Z")
    await tower.look()

    assert await tower.kinds() == ["alert.exceeded", "alert.exceeded"]
    assert [each.period_start for each in await tower.history()] == [datetime(2026, 3, 1, tzinfo=UTC), APRIL]


async def test_the_last_event_of_a_period_is_told_though_the_next_one_has_begun(tower):
    await tower.add("usage", 100)
    tower.house.clock.set(APRIL + timedelta(seconds=1))

    await tower.house.use(100, at="2026-03-31T23:59:59Z")
    await tower.look()

    [found] = await tower.history()
    assert (found.period_end, found.value) == (APRIL, 100)


async def test_a_closed_period_never_alerts_again(tower):
    await tower.add("usage", 100)
    await tower.house.use(60)
    tower.house.clock.set(APRIL + timedelta(hours=3))
    await tower.house.billing.closing.run()
    await tower.look()

    await tower.house.use(60)
    await tower.look()

    assert await tower.kinds() == []


async def test_a_period_that_closes_between_measuring_and_writing_does_not_alert(tower, monkeypatch):
    await tower.add("usage", 100)
    tower.house.clock.set(APRIL + timedelta(hours=3))
    await tower.house.use(160)
    seal, closing = tower.house.metering.store.seal, tower.house.billing.closing

    async def seal_and_close(now):
        sealed = await seal(now)
        monkeypatch.undo()
        assert (await closing.run()).statements
        return sealed

    monkeypatch.setattr(type(tower.house.metering.store), "seal", lambda _, now: seal_and_close(now))
    await tower.look()

    assert await tower.kinds() == []


async def test_hysteresis_keeps_a_step_crossed_until_the_value_is_clearly_back(tower):
    await tower.add("usage", 100, hysteresis=Decimal(10))
    await tower.house.use(85)
    await tower.house.use(8, idempotency_key="eight")
    await tower.house.use(9, idempotency_key="nine")
    await tower.look()
    await void(tower, "nine")
    await tower.look()
    assert await tower.kinds() == ["alert.exceeded"]  # 93 is not below 90

    await void(tower, "eight")
    await tower.look()

    assert await tower.states() == [("exceeded", "102"), ("resolved", "85")]


# --- Crashes and several workers -------------------------------------------------------------------


async def test_a_worker_that_dies_before_it_commits_leaves_the_work_to_the_next(tower, monkeypatch):
    await tower.add("usage", 100)
    await tower.house.use(150)
    await tower.house.metering.store.roll_up(tower.house.clock.now())

    class Killed(BaseException):
        pass

    async def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("tallystick.alerts.evaluation.enqueue", killed)
        with pytest.raises(Killed):
            await tower.alerts.evaluate()
    assert await tower.states() == []

    await tower.alerts.evaluate()

    assert await tower.kinds() == ["alert.exceeded"]


async def test_many_workers_that_evaluate_at_once_tell_once(tower):
    await tower.add("usage", 100, at(80), at(100))
    for number in range(1, 4):
        await tower.house.use(50)
        await tower.house.metering.store.roll_up(tower.house.clock.now())
        await asyncio.gather(*(tower.alerts.evaluate() for _ in range(3)), return_exceptions=False)
        assert number
    await tower.look()

    assert await tower.kinds() == ["alert.warning", "alert.exceeded"]


async def test_a_team_that_can_not_be_evaluated_stops_no_other(tower):
    await tower.house.team("other")
    await tower.add("usage", 100)
    await tower.add("usage", 100, team_id="other")
    async with tower.house.database.transaction() as tx:
        await tx.execute("UPDATE teams SET time_zone = 'Mars/Olympus' WHERE id = 'acme'")
    await tower.house.use(150)
    await tower.house.use(150, team_id="other")

    await tower.look()

    assert [each.team_id for each in await tower.history()] == ["other"]


# --- What is watched -------------------------------------------------------------------------------


async def test_the_three_steps_of_a_budget_warn_tell_and_throttle_until_the_period_ends(tower):
    await tower.add("cost", 50, at(80), at(100), at(120, throttle=True))
    for total, quantity in (("39", 49_000), ("40", 1_000), ("50", 10_000), ("60", 10_000)):
        await tower.house.use(quantity)
        await tower.look()
        statement = await tower.house.billing.statements.current("acme")
        assert statement.subtotal == Decimal(total)

    assert await tower.kinds() == ["alert.warning", "alert.exceeded", "alert.exceeded"]
    assert await tower.states() == [("warning", "40"), ("exceeded", "50"), ("exceeded", "60")]
    [(until,)] = await tower.rows("SELECT until FROM usage_throttles")
    assert until == APRIL


async def test_what_is_throttled_is_open_again_when_the_step_is_resolved(tower):
    await tower.add("usage", 100, at(100, throttle=True))
    await tower.house.use(150, idempotency_key="wrong")
    await tower.look()
    assert await tower.throttled() == [("acme", "api_calls")]

    await void(tower, "wrong")
    await tower.look()

    assert await tower.throttled() == []
    assert [kind for kind, _ in await tower.told()] == [
        "alert.exceeded", "throttle.changed", "alert.resolved", "throttle.changed",
    ]  # fmt: skip


async def test_a_limit_that_is_crossed_again_throttles_again_though_it_tells_nothing(tower):
    await tower.add("usage", 100, at(100, throttle=True))
    for key in ("one", "two"):
        await tower.house.use(150, idempotency_key=key)
        await tower.look()
        assert await tower.throttled() == [("acme", "api_calls")]
        await void(tower, key)
        await tower.look()
        assert await tower.throttled() == []


async def test_a_period_that_is_over_throttles_nobody(tower):
    await tower.add("usage", 100, at(100, throttle=True))
    tower.house.clock.set(APRIL + timedelta(minutes=1))

    await tower.house.use(150, at="2026-03-31T12:00:00Z")
    await tower.look()

    assert (await tower.kinds(), await tower.throttled()) == (["alert.exceeded"], [])


async def test_the_cost_of_one_metric_is_what_its_lines_come_to(tower):
    await tower.add("cost", 4, metric="peak")
    await tower.house.use(100_000)
    await tower.look()
    assert await tower.states() == []

    await tower.house.use(2, event_name="load")
    await tower.look()

    assert await tower.states() == [("exceeded", "4")]


async def test_an_alert_on_a_plan_is_about_its_teams_and_no_others(tower):
    await tower.house.team("other", plan="changing")
    await tower.house.team("third")
    await tower.add("usage", 100, plan="standard")
    for team in ("acme", "other", "third"):
        await tower.house.use(100, team_id=team)

    await tower.look()

    assert sorted(each.team_id for each in await tower.history()) == ["acme", "third"]


async def test_an_alert_on_all_teams_is_about_each_of_them(tower):
    await tower.house.team("metered", plan=None)
    await tower.add("usage", 100, team_id=None)
    await tower.house.use(100)
    await tower.house.use(100, team_id="metered")

    await tower.look()

    assert sorted(each.team_id for each in await tower.history()) == ["acme", "metered"]


async def test_an_amount_in_another_currency_is_converted_like_a_bill(tower):
    await tower.house.team("berlin", plan="standard", time_zone="Europe/Berlin")
    await tower.house.billing.teams.update("berlin", TeamChanges(currency="EUR"))
    await tower.add("cost", 90, team_id=None, currency="USD")
    await tower.house.use(110_000, team_id="berlin")

    await tower.look()

    [found] = await tower.history()
    statement = await tower.house.billing.statements.current("berlin")
    assert (found.unit, statement.account.billing_currency) == ("USD", "EUR")
    assert Decimal(95) < found.value < Decimal(101)
    assert statement.subtotal != found.value


async def test_credit_that_the_open_statement_will_burn_is_not_left(tower):
    credits = Credits(tower.house.database, tower.house.clock)
    await tower.add("credit_balance", 20, at(200), at(100), currency="USD")
    await credits.grant("acme", money(100))
    await tower.look()
    assert await tower.states() == []

    await tower.house.use(70_000)
    await tower.look()
    await tower.house.use(30_000)
    await tower.look()
    assert await tower.states() == [("warning", "40"), ("exceeded", "10")]

    await credits.grant("acme", money(100))
    await tower.look()

    assert [state for state, _ in await tower.states()] == ["warning", "exceeded", "resolved", "resolved"]
    assert (await tower.told())[-1][1].startswith("acme: credit is back above")


async def test_a_team_without_credit_has_none_to_lose(tower):
    await tower.add("credit_balance", 20, currency="USD")
    await tower.house.use(70_000)

    await tower.look()

    assert await tower.states() == []


async def test_a_projection_is_that_of_the_report(tower):
    await tower.add("projected_usage", 150_000)
    await tower.add("projected_cost", 100)
    await tower.house.use(80_000)
    await tower.look()

    report = await tower.house.billing.reports.report(ReportRequest("acme"))
    [calls] = [each for each in report.metrics if each.definition.name == "api_calls"]
    values = [each.value for each in await tower.history()]
    assert values == [calls.projection.usage, report.projected_total]


async def test_a_projection_waits_until_some_of_the_period_has_passed(tower):
    await tower.add("projected_usage", 1000)
    tower.house.clock.set(datetime(2026, 4, 1, 0, 5, tzinfo=UTC))
    await tower.house.use(10, at="2026-04-01T00:01:00Z")
    await tower.look()
    assert await tower.states() == []

    tower.house.clock.set(datetime(2026, 4, 3, tzinfo=UTC))
    await tower.look()
    assert await tower.states() == []  # 10 in two days are 150 in a month

    await tower.house.use(100, at="2026-04-02T23:00:00Z")
    await tower.look()
    assert await tower.states() == [("exceeded", "1650")]


async def test_a_projection_that_falls_with_time_is_resolved_without_usage(tower):
    await tower.add("projected_usage", 1000)
    tower.house.clock.set(datetime(2026, 4, 5, tzinfo=UTC))
    await tower.house.use(150, at="2026-04-04T00:00:00Z")
    await tower.look()
    assert [state for state, _ in await tower.states()] == ["exceeded"]

    tower.house.clock.set(datetime(2026, 4, 10, tzinfo=UTC))
    await tower.look()

    assert [state for state, _ in await tower.states()] == ["exceeded", "resolved"]


# --- Changing an alert -----------------------------------------------------------------------------


async def test_a_limit_that_is_crossed_when_the_alert_is_made_is_told_at_once(tower):
    await tower.house.use(150)
    await tower.look()

    await tower.add("usage", 100)
    await tower.look()

    assert await tower.kinds() == ["alert.exceeded"]


def terms_of(alert, **changes):
    return replace(AlertRequest.of(alert).terms(), **changes)


async def test_a_new_limit_tells_anew_and_a_step_that_stays_does_not(tower):
    alert = await tower.add("usage", 100, at(50), at(100))
    await tower.house.use(150)
    await tower.look()
    assert await tower.kinds() == ["alert.warning", "alert.exceeded"]

    steps = (StepTerms(value=Decimal(50)), StepTerms(value=Decimal(140)))
    changed = await tower.alerts.change(alert.id, lambda found: terms_of(found, steps=steps, threshold=Decimal(140)))
    await tower.look()

    assert changed.steps[0].id == alert.steps[0].id
    assert await tower.kinds() == ["alert.warning", "alert.exceeded", "alert.exceeded"]
    assert [(each.cause, each.to_state) for each in (await tower.history())[2:]] == [
        ("changed", State.RESOLVED), ("measured", State.EXCEEDED),
    ]  # fmt: skip


async def test_an_alert_that_is_switched_off_or_deleted_throttles_no_more(tower):
    alert = await tower.add("usage", 100, at(100, throttle=True))
    await tower.house.use(150)
    await tower.look()

    await tower.alerts.change(alert.id, lambda found: terms_of(found, active=False))
    assert await tower.throttled() == []
    await tower.alerts.change(alert.id, lambda found: terms_of(found, active=True))
    await tower.look()
    assert (await tower.kinds(), await tower.throttled()) == (["alert.exceeded"], [("acme", "api_calls")])
    await tower.alerts.delete(alert.id)

    assert await tower.throttled() == []
    assert [str(each.cause) for each in await tower.history()] == ["measured", "changed", "measured", "deleted"]
    with pytest.raises(NotFound, match=f"there is no alert {alert.id}"):
        await tower.alerts.get(alert.id)


async def test_what_an_alert_names_has_to_be_there(tower):
    wanted = AlertTerms(Kind.USAGE, Decimal(1), metric="api_calls", team_id="acme")
    for terms, message in [
        (replace(wanted, metric="nothing"), "there is no metric 'nothing'; there are: api_calls"),
        (replace(wanted, plan="nothing", team_id=None), "there is no plan 'nothing'"),
        (replace(wanted, steps=(at(1, "pager"),)), "there is no notification channel 'pager'; there are: none is"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            await tower.alerts.create(terms)
    with pytest.raises(NotFound, match="there is no team 'nobody'"):
        await tower.add("usage", 100, team_id="nobody")


# --- The same numbers as the bill ------------------------------------------------------------------


async def test_every_number_of_the_history_is_reproduced_by_what_was_known_then(tower):
    await tower.add("usage", 100)
    await tower.add("cost", 1)
    await tower.add("projected_cost", 1)
    await tower.add("projected_usage", 100)
    await tower.house.use(12_000, idempotency_key="first")
    await tower.look()
    before = await tower.history()
    assert len(before) == 4

    tower.house.clock.advance(timedelta(hours=5))
    await void(tower, "first")
    await tower.house.use(33_333)
    await tower.look()

    for each in await tower.history():
        again = await tower.alerts.reproduce(each.id)
        assert again.agrees, again


async def test_a_change_of_the_alert_was_no_measurement(tower):
    alert = await tower.add("usage", 100)
    await tower.house.use(150)
    await tower.look()
    await tower.alerts.delete(alert.id)

    [_, deleted] = await tower.history()
    with pytest.raises(Conflict, match="was no measurement: the alert was deleted"):
        await tower.alerts.reproduce(deleted.id)


async def agrees_with_the_bill(tower):
    """The cost and usage that alerts measured are those of the statement of the same moment."""
    for each in await tower.history():
        statement = await tower.house.billing.statements.current("acme", known_at=each.known_at)
        usage = {line.metric: line.quantity for line in statement.lines}
        assert each.value == (statement.subtotal if each.unit == "USD" else usage["api_calls"]), each


async def test_alerts_measure_what_the_bill_says(tower):
    await tower.add("usage", 1000, *(at(percent) for percent in range(10, 2001, 290)))
    await tower.add("cost", 10, *(at(percent) for percent in range(10, 801, 130)))
    for quantity in ("1234.567", "9000.000001", "17000", "55000.25"):
        await tower.house.use(quantity)
        await tower.look()
        tower.house.clock.advance(timedelta(minutes=7))

    assert len(await tower.history()) == 13
    await agrees_with_the_bill(tower)


async def test_the_test_before_sees_alerts_that_count_otherwise(tower, monkeypatch):
    await tower.add("usage", 1000, at(100), at(500))
    await tower.add("cost", 10, at(100))
    monkeypatch.setattr("tallystick.alerts.measuring.usage_of", lambda of, answers: (usage_of(of, answers) or 0) + 1)
    await tower.house.use(30_000)
    await tower.look()

    with pytest.raises(AssertionError):
        await agrees_with_the_bill(tower)


def a_cent_more(alert, statement):
    found = cost_of(alert, statement)
    return found._replace(value=(found.value or 0) + Decimal("0.01"))


async def test_the_test_before_sees_alerts_that_rate_otherwise(tower, monkeypatch):
    await tower.add("cost", 10, at(100))
    monkeypatch.setattr("tallystick.alerts.measuring.cost_of", a_cent_more)
    await tower.house.use(30_000)
    await tower.look()

    with pytest.raises(AssertionError):
        await agrees_with_the_bill(tower)


# --- Costs of being there --------------------------------------------------------------------------


async def test_teams_that_nothing_watches_are_only_taken_out_of_the_queue(tower):
    await tower.house.use(150)
    await tower.look()

    assert await tower.rows("SELECT * FROM rollup_touched") == []


async def test_thousands_of_alerts_on_idle_teams_are_not_read(tower):
    await tower.add("usage", 100)
    async with tower.house.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO teams (id, name, created_at) SELECT 'idle' || n, 'idle', now() FROM generate_series(1, 2000) n"
        )
        await tx.execute(
            "INSERT INTO usage_alerts (team_id, metric, threshold_value, type, name, kind, created_at, updated_at) "
            "SELECT 'idle' || n, 'api_calls', 1, 'soft', 'x', 'usage', now(), now() FROM generate_series(1, 2000) n"
        )
        await tx.execute("ANALYZE usage_alerts")
    await tower.house.use(150)
    await tower.look()
    assert await tower.kinds() == ["alert.exceeded"]

    [(plan,)] = await tower.rows(
        "EXPLAIN (FORMAT JSON) SELECT * FROM usage_alerts WHERE team_id = ANY(ARRAY['acme']) AND active "
        "AND deleted_at IS NULL"
    )
    assert "Index" in str(plan)
    assert "Seq Scan" not in str(plan)


async def test_two_installations_of_alerts_on_one_database_are_one(tower, database, clock):
    other = Alerts.open(database, tower.house.metering, tower.house.billing, clock)
    await tower.add("usage", 100)
    await tower.house.use(150)
    await tower.look()

    assert (await other.evaluate()).transitions == 0
