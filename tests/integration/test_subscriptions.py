"""What becomes of a subscription: starting, changing the plan, trials, pauses, ending. On a real database."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest
from psycopg.errors import ExclusionViolation

from tallystick.billing.teams import store
from tallystick.billing.teams.models import Pause, Status, TeamChanges, Terms
from tallystick.billing.teams.registration import register_teams
from tallystick.catalog.models import Anchor
from tallystick.core.clock import Interval, zone
from tallystick.core.errors import Conflict, InvalidInput
from tallystick.http.principal import Scope
from tests.integration.billing_setup import calling, opened

FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)

FILE = """
version: 1
currency: USD
metrics:
  calls: {event: api_call, aggregation: sum, unit: call}
plans:
  starter:
    trial_days: 14
    prices: [{metric: calls, model: per_unit, unit_price: 1}]
  growth:
    trial_days: 30
    prices: [{metric: calls, model: per_unit, unit_price: 2}]
  growth@2:
    prices: [{metric: calls, model: per_unit, unit_price: 3}]
  yearly:
    period: year
    prices: [{metric: calls, model: per_unit, unit_price: 1}]
"""


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        await each.apply(FILE)
        yield each


@pytest.fixture
async def acme(house):
    """A team on plan starter since 1 March, without a trial."""
    await house.billing.teams.create("acme")
    await house.billing.teams.subscribe("acme", Terms("starter", MARCH, trial_days=0))
    return house.billing.teams.moves


async def held(house, team_id="acme"):
    """The team's subscriptions as (plan, start, end)."""
    found = await house.billing.teams.subscriptions(team_id, 100)
    return [(each.plan, each.starts_at, each.ends_at) for each in found]


async def settle(house, until, start=MARCH, status="closed"):
    """Close the first subscription's period that ends at the instant."""
    async with house.database.transaction() as tx:
        await tx.execute(
            "INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency, "
            "status, computed_at, closed_at) SELECT team_id, min(id), %s, %s, 'USD', %s, %s, %s "
            "FROM subscriptions GROUP BY team_id",
            (start, until, status, until, until),
        )


# --- Plans and their versions ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "version", "expected"),
    [
        ("growth", None, "growth@2"),
        ("growth", 1, "growth"),
        ("growth@1", None, "growth"),
        ("growth@2", None, "growth@2"),
        ("growth@2", 2, "growth@2"),
        ("starter", None, "starter"),
    ],
)
async def test_a_plan_is_its_newest_version_unless_another_is_named(house, plan, version, expected):
    await house.billing.teams.create("acme")

    subscription = await house.billing.teams.subscribe("acme", Terms(plan, plan_version=version))

    assert subscription.plan == expected
    assert (subscription.family, subscription.plan_version) == (expected.partition("@")[0], 2 if "@" in expected else 1)


@pytest.mark.parametrize(
    ("plan", "version", "field", "message"),
    [
        ("gold", None, "plan", "there is no plan 'gold'; there are: growth, growth@2, starter, yearly"),
        ("growth@x", None, "plan", "there is no plan 'growth@x'"),
        ("growth", 3, "plan_version", "plan 'growth' is not on offer in version 3, but in 1, 2"),
        ("growth@2", 1, "plan_version", "plan 'growth@2' is not version 1"),
    ],
)
async def test_a_plan_or_version_that_is_not_on_offer_is_refused(house, plan, version, field, message):
    await house.billing.teams.create("acme")

    with pytest.raises(InvalidInput, match=message) as refused:
        await house.billing.teams.subscribe("acme", Terms(plan, plan_version=version))

    assert refused.value.field == field


# --- Changing the plan -----------------------------------------------------------------------------


async def test_a_plan_is_changed_now_at_the_end_of_the_period_or_at_an_instant(house, acme):
    now = house.clock.now()

    await acme.change("acme", "growth", version=1)
    await acme.change("acme", "growth", when="period_end")
    await acme.change("acme", "yearly", when=MAY)

    assert await held(house) == [
        ("starter", MARCH, now),
        ("growth", now, APRIL),
        ("growth@2", APRIL, MAY),
        ("yearly", MAY, None),
    ]


async def test_a_new_change_takes_the_place_of_those_that_were_to_follow(house, acme):
    await acme.change("acme", "growth", when="period_end")
    await acme.change("acme", "yearly", when=MAY)

    await acme.change("acme", "growth", when="period_end", version=1)

    assert await held(house) == [("starter", MARCH, APRIL), ("growth", APRIL, None)]


async def test_changing_to_the_present_plan_takes_back_what_was_to_follow_and_no_more(house, acme):
    await acme.change("acme", "growth", when="period_end")

    stayed = await acme.change("acme", "starter")
    again = await acme.change("acme", "starter")

    assert stayed == again
    assert await held(house) == [("starter", MARCH, None)]


async def test_a_planned_move_to_a_new_version_is_taken_back_although_the_present_one_is_archived(house, acme):
    await house.apply(FILE.replace("  starter:\n", "  starter:\n    version: 2\n"))
    await acme.change("acme", "starter", when="period_end")
    assert await held(house) == [("starter", MARCH, APRIL), ("starter@2", APRIL, None)]

    stayed = await acme.change("acme", "starter@1")

    assert stayed.plan == "starter"
    assert await held(house) == [("starter", MARCH, None)]
    await house.billing.teams.create("other")
    with pytest.raises(InvalidInput, match="plan 'starter' is not on offer in version 1, but in 2"):
        await house.billing.teams.subscribe("other", Terms("starter@1", MARCH))


async def test_an_end_that_was_planned_goes_over_to_the_new_plan_with_its_reason(house, acme):
    await acme.cancel("acme", when=MAY, reason="moved in-house")

    changed = await acme.change("acme", "growth")

    assert (changed.ends_at, changed.cancel_reason) == (MAY, "moved in-house")
    assert changed.canceled_at == house.clock.now()


async def test_a_change_at_the_very_start_is_a_change_from_the_start(house, acme):
    before = (await house.billing.teams.subscriptions("acme", 1))[0]

    changed = await acme.change("acme", "growth", when=MARCH)

    assert await held(house) == [("growth@2", MARCH, None)]
    assert changed.id == before.id


async def test_a_change_goes_on_with_the_anniversaries_of_the_plan_before(house):
    teams = house.billing.teams
    start = datetime(2026, 1, 31, 9, tzinfo=UTC)
    await teams.create("acme")
    await teams.subscribe("acme", Terms("starter", start, anchor=Anchor.ANNIVERSARY, trial_days=0))

    changed = await teams.moves.change("acme", "growth")

    period = changed.period_containing(house.clock.now(), zone("UTC"))
    assert period is not None
    assert period.interval == Interval(house.clock.now(), datetime(2026, 3, 31, 9, tzinfo=UTC))
    assert period.full == Interval(datetime(2026, 2, 28, 9, tzinfo=UTC), datetime(2026, 3, 31, 9, tzinfo=UTC))


async def test_a_change_back_in_time_is_refused_where_another_plan_has_begun_since(house, acme):
    await acme.change("acme", "growth")
    house.clock.advance(timedelta(days=2))

    with pytest.raises(Conflict, match=r"begins subscription \d+ to 'growth@2' at 2026-03-15T12:00:00Z"):
        await acme.change("acme", "yearly", when=MARCH + timedelta(days=3))


async def test_nobody_changes_the_plan_of_a_team_without_one(house):
    await house.billing.teams.create("acme")

    with pytest.raises(Conflict, match="team 'acme' has no subscription in force"):
        await house.billing.teams.moves.change("acme", "growth")


# --- Trials ----------------------------------------------------------------------------------------


async def test_the_trial_of_the_plan_ends_days_later_at_the_same_local_time(house):
    await house.billing.teams.create("acme", time_zone="America/New_York")
    start = datetime(2026, 3, 1, 5, tzinfo=UTC)  # midnight there, in winter

    subscription = await house.billing.teams.subscribe("acme", Terms("starter", start))

    assert subscription.trial_ends_at == datetime(2026, 3, 15, 4, tzinfo=UTC)  # midnight there, in summer
    assert subscription.status(start) is Status.TRIAL


async def test_a_plan_gives_its_trial_once_for_all_its_versions(house):
    teams = house.billing.teams
    await teams.create("acme")
    first = await teams.subscribe("acme", Terms("growth@1", MARCH, ends_at=MARCH + timedelta(days=1)))
    again = await teams.subscribe("acme", Terms("growth@1", APRIL, ends_at=MAY))
    other = await teams.subscribe("acme", Terms("starter", JUNE))

    assert first.trial_ends_at == MARCH + timedelta(days=30)
    assert again.trial_ends_at is None
    assert other.trial_ends_at == JUNE + timedelta(days=14)


async def test_what_is_left_of_a_trial_goes_over_to_the_next_plan_and_no_other_begins(house):
    teams = house.billing.teams
    await teams.create("acme")
    await teams.subscribe("acme", Terms("starter", MARCH + timedelta(days=10)))

    during = await teams.moves.change("acme", "growth", version=1)
    afterwards = await teams.moves.change("acme", "yearly", when=MAY)

    assert during.trial_ends_at == MARCH + timedelta(days=24)
    assert afterwards.trial_ends_at is None


async def test_teams_of_the_billing_file_and_teams_that_register_themselves_have_the_trial_too(house):
    await house.apply(FILE + "teams: {filed: {plan: starter, start: 2026-03-01}}\ndefaults: {plan: starter}\n")
    async with house.database.transaction() as tx:
        await register_teams(tx, ["registered"], house.clock.now())

    trials = {name: (await house.billing.teams.subscriptions(name, 1))[0] for name in ("filed", "registered")}

    assert trials["filed"].trial_ends_at == MARCH + timedelta(days=14)
    assert trials["registered"].trial_ends_at == trials["registered"].starts_at + timedelta(days=14)


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({"trial_days": 3}, MARCH + timedelta(days=3)),
        ({"trial_days": 0}, None),
        ({"trial_ends_at": APRIL}, APRIL),
    ],
)
async def test_who_starts_a_subscription_may_say_how_long_its_trial_is(house, terms, expected):
    await house.billing.teams.create("acme")

    subscription = await house.billing.teams.subscribe("acme", Terms("starter", MARCH, **terms))

    assert subscription.trial_ends_at == expected


async def test_a_trial_can_be_prolonged_and_ended(house, acme):
    prolonged = await acme.try_until("acme", APRIL)
    ended = await acme.try_until("acme", None)

    assert prolonged.uncharged(Interval(MARCH, MAY)) == [(Interval(MARCH, APRIL), "trial")]
    assert ended.uncharged(Interval(MARCH, MAY)) == []


async def test_a_trial_that_would_end_before_the_subscription_starts_is_refused(house, acme):
    for end in (MARCH, FEBRUARY):
        with pytest.raises(InvalidInput, match="ends_at must be after the start, 2026-03-01T00:00:00Z"):
            await acme.try_until("acme", end)


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("trial_days", {"trial_days": -1}),
        ("trial_days", {"trial_days": 5000}),
        ("trial_days", {"trial_days": 1, "trial_ends_at": APRIL}),
        ("trial_ends_at", {"trial_ends_at": MARCH}),
        ("anchored_at", {"anchored_at": MARCH}),
        ("anchored_at", {"anchored_at": datetime(1999, 1, 1, tzinfo=UTC), "anchor": Anchor.ANNIVERSARY}),
    ],
)
async def test_terms_that_can_not_be_are_refused_by_field(house, field, terms):
    await house.billing.teams.create("acme")

    with pytest.raises(InvalidInput) as refused:
        await house.billing.teams.subscribe("acme", Terms("starter", MARCH, **terms))

    assert refused.value.field == field


# --- Pauses ----------------------------------------------------------------------------------------


async def test_a_pause_lasts_until_it_is_resumed(house, acme):
    now = house.clock.now()
    paused = await acme.pause("acme")
    house.clock.advance(timedelta(days=3))
    resumed = await acme.resume("acme")

    assert (paused.status(now), paused.pauses) == (Status.PAUSED, (Pause(now, None),))
    assert (resumed.status(house.clock.now()), resumed.pauses) == (
        Status.ACTIVE,
        (Pause(now, house.clock.now()),),
    )


async def test_a_pause_can_be_planned_and_taken_back(house, acme):
    await acme.pause("acme", when="period_end", until=MAY)
    planned = (await house.billing.teams.subscriptions("acme", 1))[0]
    taken_back = await acme.resume("acme")

    assert planned.uncharged(Interval(MARCH, JUNE)) == [(Interval(APRIL, MAY), "paused")]
    assert taken_back.pauses == ()


async def test_two_pauses_do_not_overlap(house, acme):
    await acme.pause("acme", when=APRIL, until=MAY)

    with pytest.raises(Conflict, match="has a pause from 2026-04-01T00:00:00Z on already"):
        await acme.pause("acme")
    await acme.pause("acme", until=APRIL)
    both = await acme.pause("acme", when=MAY, until=JUNE)

    assert [pause.starts_at for pause in both.pauses] == [house.clock.now(), APRIL, MAY]


async def test_a_pause_goes_on_over_a_change_of_plan(house, acme):
    now = house.clock.now()
    await acme.pause("acme")
    changed = await acme.change("acme", "growth", when="period_end")
    await acme.resume("acme", when=MAY)

    before, after = await house.billing.teams.subscriptions("acme", 9)

    assert changed.uncharged(Interval(MARCH, JUNE)) == [(Interval(APRIL, JUNE), "paused")]
    assert before.uncharged(Interval(MARCH, JUNE)) == [(Interval(now, APRIL), "paused")]
    assert after.uncharged(Interval(MARCH, JUNE)) == [(Interval(APRIL, MAY), "paused")]


async def test_a_pause_ends_with_the_subscription_and_does_not_wait_for_another(house, acme):
    now = house.clock.now()
    await acme.pause("acme")
    await acme.cancel("acme", when=now + timedelta(days=1))
    house.clock.set(APRIL)
    await house.billing.teams.subscribe("acme", Terms("growth"))

    fresh = (await house.billing.teams.subscriptions("acme", 9))[-1]
    with pytest.raises(Conflict, match="is not paused"):
        await acme.resume("acme")
    paused = await acme.pause("acme", until=MAY)

    assert fresh.uncharged(Interval(MARCH, JUNE)) == []
    assert paused.uncharged(Interval(MARCH, JUNE)) == [(Interval(APRIL, MAY), "paused")]
    [first, _] = await house.billing.teams.subscriptions("acme", 9)
    assert first.uncharged(Interval(MARCH, JUNE)) == [(Interval(now, now + timedelta(days=1)), "paused")]


async def test_a_pause_needs_a_subscription_and_an_end_after_its_start(house, acme):
    with pytest.raises(InvalidInput, match="until must be after the pause begins"):
        await acme.pause("acme", until=house.clock.now())
    await house.billing.teams.create("globex")
    with pytest.raises(Conflict, match="has no subscription in force"):
        await acme.pause("globex")


# --- Ending ----------------------------------------------------------------------------------------


async def test_a_subscription_is_canceled_at_the_end_of_its_period_unless_it_is_said_otherwise(house, acme):
    await acme.change("acme", "growth", when="period_end")

    ended = await acme.cancel("acme", reason="too dear")

    assert await held(house) == [("starter", MARCH, APRIL)]
    assert (ended.canceled_at, ended.cancel_reason) == (house.clock.now(), "too dear")
    assert (ended.status(house.clock.now()), ended.status(APRIL)) == (Status.ACTIVE, Status.ENDED)


@pytest.mark.parametrize("when", ["now", MAY])
async def test_it_can_be_canceled_now_or_at_an_instant(house, acme, when):
    await acme.cancel("acme", when=when)

    assert await held(house) == [("starter", MARCH, house.clock.now() if when == "now" else when)]


async def test_a_cancellation_that_has_not_taken_effect_is_taken_back(house, acme):
    await acme.cancel("acme")

    kept = await acme.keep("acme")

    assert (kept.ends_at, kept.canceled_at, kept.cancel_reason) == (None, None, None)
    with pytest.raises(Conflict, match="has no cancellation"):
        await acme.keep("acme")


async def test_taking_back_a_cancellation_leaves_an_end_that_was_there_before(house):
    await house.billing.teams.create("acme")
    moves = house.billing.teams.moves
    await moves.start("acme", Terms("starter", MARCH, ends_at=JUNE))
    await moves.cancel("acme", when=APRIL)
    await moves.cancel("acme", when=house.clock.now() + timedelta(days=1))

    await moves.keep("acme")

    assert await held(house) == [("starter", MARCH, JUNE)]


async def test_one_that_has_not_begun_is_canceled_by_taking_it_back(house):
    await house.billing.teams.create("acme")
    await house.billing.teams.subscribe("acme", Terms("starter", APRIL))

    assert await house.billing.teams.moves.cancel("acme", when=APRIL) is None
    assert await held(house) == []


async def test_a_billing_file_that_lets_a_team_go_on_takes_its_cancellation_back(house, acme):
    await acme.cancel("acme", reason="too dear")
    await acme.change("acme", "growth", when=house.clock.now() + timedelta(days=1))

    await house.apply(f"{FILE}teams: {{acme: {{plan: starter}}}}\n")

    [kept] = await house.billing.teams.subscriptions("acme", 9)
    assert (kept.plan, kept.ends_at, kept.canceled_at, kept.cancel_reason) == ("starter", None, None, None)


# --- What is billed stays billed -------------------------------------------------------------------


async def test_nothing_moves_in_a_period_that_is_closed(house, acme):
    await settle(house, APRIL)
    moves = [
        acme.start("acme", Terms("yearly", MARCH + timedelta(days=3))),
        acme.change("acme", "growth"),
        acme.pause("acme"),
        acme.resume("acme"),
        acme.cancel("acme", when="now"),
        acme.try_until("acme", MARCH + timedelta(days=1)),
        acme.end("acme", (await house.billing.teams.subscriptions("acme", 1))[0].id),
    ]

    for move in moves:
        with pytest.raises(Conflict, match=r"is billed up to 2026-04-01T00:00:00Z; choose that instant or a later one"):
            await move

    await acme.change("acme", "growth", when=APRIL)
    assert await held(house) == [("starter", MARCH, APRIL), ("growth@2", APRIL, None)]


async def test_another_time_zone_leaves_no_gap_behind_the_last_closed_period(house, acme):
    await settle(house, APRIL)
    utc = (await house.billing.teams.subscriptions("acme", 1))[0]
    los_angeles = await house.billing.teams.update("acme", TeamChanges(time_zone="America/Los_Angeles"))

    april = utc.period_containing(APRIL, los_angeles.zone)
    march = utc.period_containing(APRIL - timedelta(microseconds=1), los_angeles.zone)

    assert april is not None
    assert march is not None
    assert april.interval == Interval(APRIL, datetime(2026, 5, 1, 7, tzinfo=UTC))
    assert march.end == april.start


# --- What was known when ---------------------------------------------------------------------------


async def test_subscriptions_and_pauses_are_seen_as_they_were_known(house, acme):
    first = house.clock.now()
    house.clock.advance(timedelta(hours=1))
    await acme.change("acme", "growth", when="period_end")
    await acme.pause("acme")
    second = house.clock.now()
    house.clock.advance(timedelta(hours=1))
    await acme.resume("acme")
    await acme.change("acme", "starter")

    async def known(at):
        async with house.database.snapshot() as tx:
            found = await store.subscriptions(tx, "acme", known_at=at)
        return [(each.plan, each.starts_at, each.ends_at, each.pauses) for each in found]

    paused = (Pause(second, None),)
    assert await known(MARCH) == []
    assert await known(first) == [("starter", MARCH, None, ())]
    assert await known(second) == [("starter", MARCH, APRIL, paused), ("growth@2", APRIL, None, paused)]
    assert await known(None) == [("starter", MARCH, None, (Pause(second, house.clock.now()),))]


# --- Several writers at once -----------------------------------------------------------------------


def overlapping(rows):
    return [(a, b) for a, b in pairwise(rows) if a[1] > b[0]]


async def spans(house, table, where="true"):
    async with house.database.snapshot() as tx:
        found = await tx.execute(
            f"SELECT starts_at, CASE ends_at WHEN 'infinity' THEN '9999-12-31Z' ELSE ends_at END FROM {table} "
            f"WHERE {where} ORDER BY starts_at"
        )
        return await found.fetchall()


async def test_writers_of_one_team_through_api_and_billing_file_never_make_subscriptions_overlap(house, acme):
    plans = ["starter", "growth@1", "growth@2", "yearly"]

    async def attempt(number):
        plan = plans[number % 4]
        match number % 3:
            case 0:
                await acme.start("acme", Terms(plan, house.clock.now() + timedelta(hours=number % 7)))
            case 1:
                await acme.change("acme", plan, when="period_end" if number % 2 else "now")
            case _:
                await house.apply(f"{FILE}teams: {{acme: {{plan: {plan.partition('@')[0]}}}}}\n# {number}\n")

    outcomes = await asyncio.gather(*(attempt(number) for number in range(48)), return_exceptions=True)

    unexpected = [each for each in outcomes if isinstance(each, BaseException) and not isinstance(each, Conflict)]
    assert unexpected == []
    assert overlapping(await spans(house, "subscriptions")) == []


async def test_pauses_of_one_team_that_are_made_at_once_never_overlap(house, acme):
    async def attempt(number):
        day = house.clock.now() + timedelta(days=number % 5)
        await acme.pause("acme", when=day, until=day + timedelta(days=2))

    outcomes = await asyncio.gather(*(attempt(number) for number in range(20)), return_exceptions=True)

    made = [each for each in outcomes if not isinstance(each, BaseException)]
    assert all(isinstance(each, Conflict) for each in outcomes if isinstance(each, BaseException))
    rows = await spans(house, "subscription_pauses", "superseded_at IS NULL")
    assert len(rows) == len(made) >= 2
    assert overlapping(rows) == []


async def test_a_writer_that_takes_no_lock_is_refused_by_the_database_itself(house, acme, database_url):
    insert = (
        "INSERT INTO subscriptions (team_id, plan, starts_at, ends_at, created_at) "
        "VALUES ('acme', 'growth', %s, %s, %s)"
    )

    async def write(start, end):
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(insert, (start, end, MARCH))
            await asyncio.sleep(0.05)  # both transactions are open at once

    with pytest.raises(ExclusionViolation):
        await write(APRIL, MAY)
    await write(FEBRUARY, MARCH)
    await house.billing.teams.create("globex")
    insert = insert.replace("acme", "globex")
    outcomes = await asyncio.gather(write(APRIL, JUNE), write(MAY, JUNE), return_exceptions=True)

    assert [type(each) for each in outcomes if each is not None] == [ExclusionViolation]


# --- Over HTTP -------------------------------------------------------------------------------------


async def test_a_subscription_goes_through_its_life_over_http(house):
    await house.billing.teams.create("acme")
    path = "/api/teams/acme/subscriptions"
    async with calling(house) as client:

        async def post(move, body=None, code=200):
            answer = await client.post(f"{path}{move}", json=body)
            assert answer.status_code == code, answer.text
            return answer.json()

        started = await post("", {"plan": "starter", "starts_at": "2026-03-01T00:00:00Z", "trial_days": 7}, 201)
        changed = await post("/change", {"plan": "growth", "plan_version": 1, "when": "period_end"})
        paused = await post("/pause", {"until": "2026-03-20T00:00:00Z"})
        resumed = await post("/resume")
        canceled = await post("/cancel", {"reason": "moved in-house"})
        kept = await post("/keep")
        tried = await post("/trial", {"ends_at": "2026-03-20T00:00:00Z"})
        moved = await post("/change", {"plan": "growth", "when": "2026-05-01T00:00:00Z"})
        refused = await post("/pause", {"when": "later"}, 422)
        listed = (await client.get(path)).json()["data"]

    assert started | {"id": 0} == {
        "id": 0,
        "team_id": "acme",
        "plan": "starter",
        "plan_version": 1,
        "currency": "USD",
        "period_unit": "month",
        "period_every": 1,
        "anchor": "calendar",
        "anchored_at": "2026-03-01T00:00:00Z",
        "status": "active",
        "starts_at": "2026-03-01T00:00:00Z",
        "ends_at": None,
        "trial_ends_at": "2026-03-08T00:00:00Z",
        "pauses": [],
        "canceled_at": None,
        "cancel_reason": None,
        "created_at": "2026-03-15T12:00:00Z",
    }
    assert (changed["plan"], changed["starts_at"], changed["status"]) == ("growth", "2026-04-01T00:00:00Z", "upcoming")
    assert (paused["status"], resumed["status"]) == ("paused", "active")
    assert paused["pauses"] == [{"starts_at": "2026-03-15T12:00:00Z", "ends_at": "2026-03-20T00:00:00Z"}]
    assert canceled["subscription"]["ends_at"] == "2026-04-01T00:00:00Z"
    assert canceled["subscription"]["cancel_reason"] == "moved in-house"
    assert (kept["ends_at"], kept["canceled_at"]) == (None, None)
    assert (tried["status"], tried["trial_ends_at"]) == ("trial", "2026-03-20T00:00:00Z")
    assert moved["plan_version"] == 2
    assert refused["field"].startswith("when")
    assert [each["plan"] for each in listed] == ["starter", "growth@2"]


async def test_a_moment_that_is_none_is_refused_in_one_line_at_its_field(house, acme):
    async with calling(house) as client:
        for when in ("yesterday", "2026-03-05", "2026-03-05T00:00:00", "", None):
            answer = await client.post("/api/teams/acme/subscriptions/pause", json={"when": when})

            assert answer.status_code == 422
            assert answer.json()["field"] == "when"
            assert answer.json()["detail"] == (
                "body.when: must be now, period_end or an RFC 3339 instant with an offset, such as 2026-03-01T00:00:00Z"
            )


async def test_moving_a_subscription_takes_an_admin_key(house, acme):
    async with calling(house, Scope.READ) as client:
        answers = [
            await client.post(f"/api/teams/acme/subscriptions/{move}", json={"plan": "growth", "ends_at": None})
            for move in ("change", "pause", "resume", "cancel", "keep", "trial")
        ]

    assert [answer.status_code for answer in answers] == [403] * 6


async def test_a_team_is_billed_in_a_currency_of_its_own_until_that_is_taken_back(house):
    async with calling(house) as client:
        made = await client.post("/api/teams", json={"id": "acme", "currency": "EUR"})
        named = await client.patch("/api/teams/acme", json={"name": "Acme"})
        back = await client.patch("/api/teams/acme", json={"currency": None})
        unknown = await client.patch("/api/teams/acme", json={"currency": "XYZ"})

    assert [answer.json()["currency"] for answer in (made, named, back)] == ["EUR", "EUR", None]
    assert (unknown.status_code, unknown.json()["field"]) == (422, "currency")
