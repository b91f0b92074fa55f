"""A team that moves to another time zone has its period moved by some hours: it is the same period, and told once."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.alerts.models import Stand, State
from tallystick.alerts.watching import Span
from tallystick.billing.teams.models import TeamChanges
from tests.integration.alerts_setup import at, opened_tower

ZONES = ["America/New_York", "Pacific/Kiritimati", "Etc/GMT+12"]


@pytest.fixture
async def tower(database, clock):
    async with opened_tower(database, clock) as each:
        yield each


async def move(tower, zone):
    await tower.house.billing.teams.update("globex", TeamChanges(time_zone=zone))
    await tower.house.use(1, team_id="globex")
    await tower.look()


@pytest.mark.parametrize("plan", ["standard", None])
async def test_what_was_told_is_not_told_again_in_the_zone_that_the_team_moved_to(tower, plan):
    await tower.house.team("globex", plan=plan)
    await tower.add("usage", 100, at(80), at(100, throttle=True), team_id="globex")
    await tower.house.use(150, team_id="globex")
    await tower.look()
    for zone in ZONES:
        await move(tower, zone)

    assert await tower.kinds() == ["alert.warning", "alert.exceeded"]
    [status] = await tower.alerts.status("globex")
    assert [each.state for each in status.steps] == [State.WARNING, State.EXCEEDED]
    assert await tower.throttled() == [("globex", "api_calls")]


async def test_a_correction_after_the_move_resolves_it_and_the_next_period_is_armed(tower):
    await tower.house.team("globex")
    await tower.add("usage", 100, team_id="globex")
    await tower.house.use(150, team_id="globex", idempotency_key="wrong")
    await tower.look()
    await move(tower, "America/New_York")
    [(id,)] = await tower.rows("SELECT id FROM usage_events WHERE idempotency_key = 'wrong'")
    await tower.house.metering.corrections.void(id, "wrong", "test")
    await tower.look()
    tower.house.clock.set(datetime(2026, 4, 2, tzinfo=UTC))
    await tower.house.use(100, team_id="globex", at="2026-04-01T12:00:00Z")
    await tower.look()

    assert await tower.kinds() == ["alert.exceeded", "alert.resolved", "alert.exceeded"]
    for each in await tower.history():
        assert (await tower.alerts.reproduce(each.id)).agrees


def stand(start, end):
    return Stand(1, "acme", start, end, 1, State.EXCEEDED, None, start, 1, 0)


@pytest.mark.parametrize(
    ("hours", "length", "same"),
    [(0, 24, True), (5, 24, True), (-11, 24, True), (24, 24, False), (-24, 24, False), (14, 720, True),
     (-26, 720, True), (27, 720, False), (360, 720, False), (1, 1, False)],
)  # fmt: skip
def test_a_period_is_the_same_if_it_is_moved_by_no_more_than_zones_are_apart(hours, length, same):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    span = Span(start, start + timedelta(hours=length))
    moved = timedelta(hours=hours)
    assert span.is_that_of(stand(start + moved, start + moved + timedelta(hours=length))) is same


def test_a_silence_has_no_other_beginning_than_its_own():
    start = datetime(2026, 3, 1, tzinfo=UTC)
    assert Span(start, None).is_that_of(stand(start, None))
    assert not Span(start, None).is_that_of(stand(start + timedelta(minutes=1), None))
