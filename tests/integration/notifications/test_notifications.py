"""Notifications: told once, when the team wants it, whatever happens on the way."""

import asyncio
from datetime import UTC, datetime, time, timedelta

import pytest

from tallystick.api.state import AppState
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.notifications import enqueue
from tallystick.notifications.courier import LEASE
from tallystick.notifications.models import ChannelKind, Digest, NewChannel, Preferences, QuietHours, State
from tallystick.notifications.service import Notifications
from tallystick.worker.loops import running
from tests.integration.notifications.receivers import answering, hanging, receiver
from tests.integration.notifications.setup import LOOPBACK, exceeded, opened_town

NIGHT = QuietHours(time(22), time(7))
EVENING = datetime(2026, 3, 16, 2, 30, tzinfo=UTC)  # half past ten in New York, the evening before
MORNING = datetime(2026, 3, 16, 11, 0, tzinfo=UTC)  # seven in New York


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


@pytest.fixture
async def hook():
    async with receiver() as each:
        yield each


@pytest.fixture
async def slack(town, hook):
    """A default channel that people read."""
    await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url, by_default=True))
    return hook


# --- Once -----------------------------------------------------------------------------------------


async def test_the_same_key_is_told_once_for_ever(town, hook):
    await town.webhook(hook.url)
    assert await town.tell(exceeded("a"), exceeded("b"), exceeded("a")) == 2
    await town.send()
    town.clock.advance(timedelta(days=400))
    assert await town.tell(exceeded("a")) == 0
    await town.send()
    assert len(hook.requests) == 2


async def test_what_is_rolled_back_is_not_told(town, hook):
    await town.webhook(hook.url)

    async def decide() -> None:
        async with town.database.transaction() as tx:
            await enqueue(tx, [exceeded()])
            raise RuntimeError("after the decision")

    with pytest.raises(RuntimeError):
        await decide()
    await town.send()
    assert hook.requests == []
    assert await town.tell(exceeded()) == 1


async def test_two_deciders_at_once_tell_it_once(town, hook):
    await town.webhook(hook.url)
    both = [exceeded("b"), exceeded("a")], [exceeded("a"), exceeded("b")]
    told = await asyncio.gather(*(town.tell(*each) for each in both for _ in range(4)))
    assert sum(told) == 2
    await town.send()
    assert len(hook.requests) == 2


async def test_two_workers_at_once_send_it_once(town, hook):
    await town.webhook(hook.url)
    await town.tell(*(exceeded(f"key:{n}") for n in range(40)))
    other = Notifications(town.database, town.clock, LOOPBACK)

    async def work(service: Notifications) -> None:
        while len(hook.requests) < 40:
            await service.deliver_due(town.clock.now())

    await asyncio.wait_for(asyncio.gather(work(town.service), work(other)), timeout=120)
    await asyncio.gather(town.service.settle(), other.settle())
    await town.send()
    assert len(hook.requests) == len({each.headers["webhook-id"] for each in hook.requests}) == 40


async def test_what_was_decided_before_a_crash_is_sent_after_it(town, hook):
    await town.webhook(hook.url)
    await town.tell(exceeded())
    async with opened_town(town.database, town.clock) as restarted:
        await restarted.send()
    assert len(hook.requests) == 1


async def test_a_process_that_dies_over_a_message_leaves_it_to_the_next_under_the_same_id(town, hook):
    hook.behaviour = hanging
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.service.deliver_due(town.clock.now())
    await asyncio.wait_for(hook.arrived.wait(), timeout=60)
    await _die(town.service)

    hook.behaviour = answering(200)
    async with opened_town(town.database, town.clock) as restarted:
        await restarted.send()
        assert len(hook.requests) == 1, "nobody else sends it while the lease runs"
        restarted.clock.advance(LEASE)
        await restarted.send()
        await restarted.pass_time(timedelta(hours=1))
        delivery = await restarted.one()

    assert (delivery.state, delivery.uncertain) == (State.SENT, True)
    first, second = hook.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_a_message_that_may_have_arrived_says_so_where_nothing_else_could(town, slack):
    slack.behaviour = hanging
    await town.tell(exceeded())
    await town.service.deliver_due(town.clock.now())
    await asyncio.wait_for(slack.arrived.wait(), timeout=60)
    await _die(town.service)

    slack.behaviour = answering(200)
    town.clock.advance(LEASE)
    await town.send()

    said = [request.body.decode() for request in slack.requests]
    assert ["may have reached you before" in each for each in said] == [False, True]


async def _die(service: Notifications) -> None:
    """End what is under way as a killed process would: nothing is written down any more."""
    tasks = list(service._courier._under_way)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_notification_is_sent_while_the_loops_run(town, hook, database, clock):
    await town.webhook(hook.url)
    async with (
        AppState.open(LOOPBACK, database, clock) as state,
        running(state.metering, clock, 60, notifications=state.notifications),
    ):
        await town.tell(exceeded())
        await asyncio.wait_for(hook.arrived.wait(), timeout=60)


# --- Where to -------------------------------------------------------------------------------------


async def test_named_channels_come_before_the_teams_which_come_before_the_default_ones(town, hook):
    for name in ("named", "preferred", "default"):
        await town.webhook(hook.url, name, by_default=name == "default")
    await town.service.put_preferences("acme", Preferences(channels=("preferred",)))

    await town.tell(exceeded("1", channels=("named", "named")), exceeded("2"), exceeded("3", team_id="globex"))
    await town.tell(exceeded("4", team_id=None), exceeded("5", team_id="nobody"))
    await town.send()

    went = {each.notification.key: each.channel for each in await town.deliveries()}
    assert went == {"1": "named", "2": "preferred", "3": "default", "4": "default", "5": "default"}


async def test_a_team_that_wants_no_channel_is_told_only_what_names_one(town, hook):
    await town.webhook(hook.url)
    await town.service.put_preferences("acme", Preferences(channels=()))
    await town.tell(exceeded("1"), exceeded("2", channels=("hook",)))
    await town.send()
    assert [each.json()["key"] for each in hook.requests] == ["2"]


async def test_a_channel_that_does_not_exist_is_seen_and_can_be_made_later(town, hook):
    await town.tell(exceeded(channels=("missing",)))
    await town.send()
    delivery = await town.one()
    assert (delivery.state, delivery.last_error) == (State.PARKED, "there is no channel 'missing'")

    await town.webhook(hook.url, "missing")
    await town.service.replay(delivery.id)
    await town.send()
    assert (await town.states(), len(hook.requests)) == ([State.SENT], 1)


async def test_a_channel_that_is_removed_parks_what_waits_for_it(town, hook):
    hook.behaviour = answering(500)
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    await town.service.remove_channel("hook")
    await town.pass_time(timedelta(minutes=2))
    assert await town.states() == [State.PARKED]
    with pytest.raises(NotFound):
        await town.service.remove_channel("hook")


async def test_only_what_is_done_with_can_be_replayed(town, hook):
    await town.webhook(hook.url)
    await town.service.put_preferences("acme", Preferences(quiet=NIGHT))
    hook.behaviour = answering(500)
    await town.tell(exceeded())
    await town.send()
    with pytest.raises(Conflict, match="is pending"):
        await town.service.replay((await town.one()).id)
    with pytest.raises(NotFound):
        await town.service.replay(10**9)


# --- When -----------------------------------------------------------------------------------------


async def test_quiet_hours_of_the_teams_zone_hold_back_what_is_not_urgent(town, slack):
    await town.service.put_preferences("acme", Preferences(quiet=NIGHT))
    town.clock.set(EVENING)
    await town.tell(exceeded("calm"), exceeded("urgent", urgent=True), exceeded("elsewhere", team_id="globex"))
    await town.send()
    assert len(slack.requests) == 2

    town.clock.set(MORNING - timedelta(seconds=1))
    await town.send()
    assert len(slack.requests) == 2
    town.clock.set(MORNING)
    await town.send()
    assert len(slack.requests) == 3


async def test_machines_have_no_quiet_hours(town, hook):
    await town.webhook(hook.url)
    await town.service.put_preferences("acme", Preferences(digest=Digest.DAILY, quiet=NIGHT))
    town.clock.set(EVENING)
    await town.tell(exceeded())
    await town.send()
    assert len(hook.requests) == 1


async def test_an_attempt_that_would_fall_into_quiet_hours_waits_for_their_end(town, slack):
    await town.service.put_preferences("acme", Preferences(quiet=NIGHT))
    slack.behaviour = answering(500)
    town.clock.set(EVENING - timedelta(minutes=30, seconds=2))  # two seconds before ten
    await town.tell(exceeded())
    await town.send()
    assert (await town.one()).due_at == MORNING


async def test_a_digest_tells_at_once_what_was_not_urgent(town, slack):
    await town.service.put_preferences("acme", Preferences(digest=Digest.DAILY, digest_at=time(9)))
    await town.tell(exceeded("1"), exceeded("2", content={"title": "Globex & co"}), exceeded("3", urgent=True))
    await town.send()
    assert len(slack.requests) == 1
    stand = {each.notification.key: each.state for each in await town.deliveries()}
    assert stand == {"1": State.HELD, "2": State.HELD, "3": State.SENT}

    town.clock.set(datetime(2026, 3, 16, 13, 0, tzinfo=UTC))  # nine in New York
    await town.send()

    assert len(slack.requests) == 2
    digest = slack.requests[1].json()
    assert digest["text"] == "2 notifications about acme"
    told = digest["blocks"][1]["text"]["text"]
    assert "Acme: API calls passed 80 % of 1,000,000" in told
    assert "Globex &amp; co" in told
    assert sorted(await town.states()) == [State.MERGED, State.MERGED, State.SENT, State.SENT]
    await town.pass_time(timedelta(days=3), step=timedelta(hours=6))
    assert len(slack.requests) == 2


async def test_a_weekly_digest_comes_on_monday(town, slack):
    await town.service.put_preferences("globex", Preferences(digest=Digest.WEEKLY, digest_at=time(8, 30)))
    town.clock.set(datetime(2026, 3, 17, tzinfo=UTC))  # a Tuesday
    await town.tell(exceeded(team_id="globex"))
    await town.send()
    assert (await town.one()).due_at == datetime(2026, 3, 23, 8, 30, tzinfo=UTC)


# --- Preferences ----------------------------------------------------------------------------------


async def test_preferences_are_kept_as_they_were_given(town, hook):
    assert await town.service.preferences("acme") == Preferences()
    await town.webhook(hook.url)
    wanted = Preferences(("hook",), ("a@acme.example",), Digest.WEEKLY, time(8, 30), NIGHT)
    await town.service.put_preferences("acme", wanted)
    assert await town.service.preferences("acme") == wanted
    await town.service.put_preferences("acme", Preferences())
    assert await town.service.preferences("acme") == Preferences()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Preferences(channels=("nowhere",)), "no channel 'nowhere'"),
        (Preferences(channels=("no\0where",)), "no channel"),
        (Preferences(emails=("not an address",)), "not an email address"),
        (Preferences(emails=("a@b.example\r\nBcc: all@example.com",)), "not an email address"),
        (Preferences(quiet=QuietHours(time(7), time(7))), "different times"),
    ],
)
async def test_preferences_that_can_not_be_are_refused(town, wanted, message):
    with pytest.raises(InvalidInput, match=message):
        await town.service.put_preferences("acme", wanted)


async def test_only_a_team_has_preferences(town):
    with pytest.raises(NotFound, match="no team 'nobody'"):
        await town.service.preferences("nobody")
    with pytest.raises(NotFound, match="no team 'nobody'"):
        await town.service.put_preferences("nobody", Preferences())
