"""The overview: kept for the teams that are touched, exact, and quick however many teams there are."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.billing.current import Present
from tallystick.billing.report import ReportRequest
from tallystick.http.principal import Scope
from tallystick.overview.keeping import Keeper
from tallystick.overview.models import growth
from tallystick.overview.service import Overviews
from tests.integration.billing_setup import House, calling, opened


@pytest.fixture
async def house(database, clock) -> AsyncIterator[House]:
    async with opened(database, clock) as each:
        yield each


def keeper(house: House) -> Keeper:
    return Keeper(house.database, Present(house.database, house.metering.usage), house.clock)


async def test_its_numbers_are_the_reports(house):
    plans = {"acme": "standard", "globex": "changing", "hooli": "yen", "initech": "fee", "umbrella": None}
    for team_id, plan in plans.items():
        await house.team(team_id, plan=plan)
        await house.use(123_456, "2026-03-05T00:00:00Z", team_id=team_id)
        await house.use(3, "2026-03-12T00:00:00Z", team_id=team_id, event_name="load", metadata={"ms": 7})
    await house.metering.store.roll_up(house.clock.now())
    await keeper(house).settle()
    found = await Overviews(house.database, house.clock, stripe=False).overview()
    assert (found.teams, found.pending_teams, found.stripe) == (5, 0, None)
    shown = {each.team_id: each for each in found.top}
    assert set(shown) == {"acme", "globex", "hooli", "initech"}
    for team_id, spender in shown.items():
        report = await house.billing.reports.report(ReportRequest(team_id))
        assert (spender.cost, spender.projected) == (report.total, report.projected_total), team_id
        assert (spender.period_start, spender.period_end) == report.account.period
        if team_id == "hooli":  # billed by the week: it had periods before
            earlier = await house.billing.reports.report(ReportRequest(team_id, period="2026-03-04T00:00:00Z"))
            assert earlier.total is not None
    totals = {each.currency: each for each in found.totals}
    of_dollars = [each for each in shown.values() if each.currency == "USD"]
    assert totals["USD"].teams == 3
    assert totals["USD"].cost == sum(each.cost or 0 for each in of_dollars)
    assert [each.team_id for each in found.top if each.currency == "USD"] == [
        each.team_id for each in sorted(of_dollars, key=lambda each: -(each.cost or 0))
    ]


async def test_a_period_is_compared_with_the_whole_one_before(house):
    await house.team(plan="yen")
    await house.use(1_000_000, "2026-03-04T00:00:00Z")
    await house.use(1_000_000, "2026-03-09T06:00:00Z")
    await house.metering.store.roll_up(house.clock.now())
    await keeper(house).settle()
    [spender] = (await Overviews(house.database, house.clock, stripe=False).overview()).top
    earlier = await house.billing.reports.report(ReportRequest("acme", period="2026-03-04"))
    assert spender.previous == earlier.total == 500
    assert spender.growth == growth(spender.projected, Decimal(500))


async def test_what_came_late_for_the_period_before_is_in_it_a_minute_later(house):
    await house.team(starts_at=datetime(2026, 1, 1, tzinfo=UTC))
    keeping = keeper(house)
    await keeping.settle()
    house.clock.advance(timedelta(seconds=1))
    await house.use(150_000, "2026-02-10T00:00:00Z")
    await house.metering.store.roll_up(house.clock.now())
    await keeping.settle()
    house.clock.advance(timedelta(minutes=1))
    await keeping.settle()
    [spender] = (await Overviews(house.database, house.clock, stripe=False).overview()).top
    assert spender.previous == Decimal("130.00")


async def test_what_is_touched_is_looked_at_again_and_nothing_else(house):
    for team_id in ("acme", "globex"):
        await house.team(team_id)
    keeping = keeper(house)
    await keeping.settle()
    house.clock.advance(timedelta(minutes=1))
    await house.use(200_000, "2026-03-10T00:00:00Z")
    await house.metering.store.roll_up(house.clock.now())
    await keeping.settle()
    found = {each.team_id: each for each in (await Overviews(house.database, house.clock, stripe=False).overview()).top}
    assert found["acme"].computed_at == house.clock.now()
    assert found["acme"].cost == Decimal("170.00")
    assert found["globex"].computed_at == house.clock.now() - timedelta(minutes=1)


async def test_a_period_that_ends_is_looked_at_although_nothing_was_touched(house):
    await house.team()
    keeping = keeper(house)
    await keeping.settle()
    house.clock.advance(timedelta(days=17))
    await keeping.settle()
    [spender] = (await Overviews(house.database, house.clock, stripe=False).overview()).top
    assert (spender.period_start.month, spender.previous) == (4, Decimal("0.00"))


async def test_one_process_keeps_it_and_what_it_takes_is_not_lost_with_it(house, monkeypatch):
    await house.team()
    keeping = keeper(house)
    async with house.database.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(7461019)")
        assert not await keeping.keep()
    monkeypatch.setattr(Present, "of", None)
    with pytest.raises(TypeError):
        await keeping.keep()
    monkeypatch.undo()
    await keeping.settle()
    assert len((await Overviews(house.database, house.clock, stripe=False).overview()).top) == 1


async def test_events_are_counted_by_the_minute_in_which_they_came(house):
    await house.team()
    overviews = Overviews(house.database, house.clock, stripe=True)
    for minutes in (0, 1, 1, 5):
        house.clock.advance(timedelta(minutes=minutes))
        await house.use(1)
        monotonic_past(overviews)
        await overviews.overview()
    monotonic_past(overviews)
    ingest = (await overviews.overview()).ingest
    assert ingest.events_last_hour == 4
    assert [each.events for each in ingest.per_minute if each.events] == [1, 1, 1, 1]
    assert len(ingest.per_minute) == 60
    assert ingest.waiting_events == 4
    assert ingest.lag_seconds == 7 * 60
    assert (await overviews.overview()).stripe == (0, 0, 0, 0, 0, 0, [])


def monotonic_past(overviews: Overviews) -> None:
    """Let what it answered last be old."""
    overviews._since = float("-inf")


async def test_alerts_that_are_crossed_are_the_teams_at_risk(house):
    async with calling(house) as client:
        await house.team()
        await house.use(95)
        alert = {"team_id": "acme", "kind": "usage", "metric": "api_calls", "threshold_value": "100",
                 "steps": [{"percent": "80"}, {"percent": "90"}, {"percent": "100"}]}  # fmt: skip
        assert (await client.post("/api/usage/alerts", json=alert)).status_code == 201
        from tallystick.alerts.service import Alerts

        await Alerts.open(house.database, house.metering, house.billing, house.clock).evaluate()
        found = (await client.get("/api/overview")).json()
        [risk] = found["at_risk"]
        assert (risk["team_id"], risk["state"], risk["value"], risk["limit"]) == ("acme", "warning", "95", "90")
        assert found["alerts"] == {"active": 1, "teams_warned": 1, "teams_exceeded": 0, "changes_last_day": 2}


async def test_it_is_for_who_may_see_every_team(house):
    await house.team()
    async with calling(house, Scope.READ, "acme") as client:
        assert (await client.get("/api/overview")).status_code == 403
    async with calling(house, Scope.INGEST) as client:
        assert (await client.get("/api/overview")).status_code == 403


async def test_with_five_thousand_teams_it_is_read_in_a_moment(house):
    async with house.database.transaction() as tx:
        await tx.execute("INSERT INTO teams (id, name, created_at) SELECT 't' || n, 'Team ' || n, now() "
                         "FROM generate_series(1, 5000) n")  # fmt: skip
        await tx.execute("""
            INSERT INTO overview_teams (team_id, plan, currency, period_start, period_end, events, cost, projected,
                                        previous, computed_at, due_at)
            SELECT 't' || n, 'standard@1', CASE n % 3 WHEN 0 THEN 'USD' WHEN 1 THEN 'EUR' ELSE 'JPY' END, now(), now(),
                   n, n * 7 % 997, n * 11 % 997, n * 13 % 997, now(), now()
            FROM generate_series(1, 5000) n""")
    overviews, took = Overviews(house.database, house.clock, stripe=True), []
    found = await overviews.overview()
    for _ in range(20):
        monotonic_past(overviews)
        began = time.monotonic()
        found = await overviews.overview()
        took.append(time.monotonic() - began)
    assert [len([each for each in found.top if each.currency == name]) for name in ("USD", "EUR", "JPY")] == [
        10,
        10,
        10,
    ]
    assert sorted(took)[18] < 0.3


@pytest.mark.parametrize(
    ("projected", "previous", "expected"),
    [("110", "100", "10.0"), ("99.99", "100", "0.0"), ("50", "100", "-50.0"), ("1", "3", "-66.7"), ("1", "0", None),
     (None, "1", None), ("1", None, None), ("0.05", "1000", "-100.0")],
)  # fmt: skip
def test_growth_is_in_percent_to_a_tenth(projected, previous, expected):
    def number(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    found = growth(number(projected), number(previous))
    assert (None if found is None else str(found)) in (expected, "-0.0" if expected == "0.0" else expected)
