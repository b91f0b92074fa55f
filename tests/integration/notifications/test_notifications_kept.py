"""What waits, in which order; which channels hear of a kind whoever else does; and what is kept of what was sent."""

from datetime import time, timedelta

import pytest

from tallystick.core.errors import InvalidInput
from tallystick.notifications import Notification
from tallystick.notifications.models import ChannelChanges, ChannelKind, Digest, NewChannel, Preferences, State
from tests.integration.notifications.receivers import answering, hanging, receiver
from tests.integration.notifications.setup import exceeded, opened_town

LATER = timedelta(days=91)


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as one:
        yield one


@pytest.fixture
async def hook():
    async with receiver() as one:
        yield one


async def kept(town):
    """How many notifications, deliveries and remembered keys there are."""
    tables = ("notifications", "notification_deliveries", "notification_keys")
    async with town.database.snapshot() as tx:
        counted = [await (await tx.execute(f"SELECT count(*) FROM {name}")).fetchone() for name in tables]
    return tuple(row[0] for row in counted)


# --- Order ----------------------------------------------------------------------------------------


async def test_what_is_urgent_does_not_wait_behind_a_backlog(town, hook):
    await town.webhook(hook.url)
    await town.tell(*(exceeded(f"key:{n}") for n in range(600)))
    await town.tell(exceeded("urgent", urgent=True))
    await town.service.deliver_due(town.clock.now())
    await town.service.settle()
    assert "urgent" in [each.json()["key"] for each in hook.requests]
    assert len(hook.requests) <= 4


async def test_what_is_urgent_overtakes_what_was_routed_before_it(town, hook):
    await town.webhook(hook.url)
    hook.behaviour = answering(500)
    await town.tell(*(exceeded(f"key:{n}") for n in range(40)))
    await town.send()
    hook.behaviour, seen = answering(200), len(hook.requests)
    await town.tell(exceeded("urgent", urgent=True))
    town.clock.advance(timedelta(minutes=10))
    await town.send()
    assert hook.requests[seen].json()["key"] == "urgent"


async def test_a_backlog_of_one_channel_keeps_no_other_waiting(town, hook):
    async with receiver() as healthy:
        await town.webhook(hook.url, "stuck", by_default=False)
        await town.webhook(healthy.url, "healthy", by_default=False)
        hook.behaviour = hanging
        await town.tell(*(exceeded(f"stuck:{n}", channels=("stuck",)) for n in range(450)))
        await town.tell(*(exceeded(f"healthy:{n}", channels=("healthy",)) for n in range(3)))
        for _ in range(4):
            await town.service.deliver_due(town.clock.now())
        assert len(healthy.requests) == 3
        await town.service.close()


# --- Channels that hear of kinds ------------------------------------------------------------------


def changed(key="throttle:1", **changes):
    return exceeded(key)._replace(kind="throttle.changed", urgent=True, **changes)


async def test_a_gateway_hears_of_every_throttle_whatever_teams_prefer(town, hook):
    await town.webhook(hook.url, "gateway", by_default=False, kinds=("throttle.changed",))
    await town.service.add_channel(NewChannel("mail", ChannelKind.EMAIL, to=("a@example.com",)))
    await town.service.put_preferences("acme", Preferences(channels=("mail",)))
    await town.tell(changed(), exceeded("other"), changed("throttle:2", team_id="globex"))
    await town.send()
    assert sorted(each.json()["key"] for each in hook.requests) == ["throttle:1", "throttle:2"]
    assert {each.channel for each in await town.deliveries()} == {"gateway", "mail"}


async def test_a_channel_that_is_named_and_hears_of_it_is_told_once(town, hook):
    await town.webhook(hook.url, "gateway", by_default=False, kinds=("throttle", "alert"))
    await town.tell(changed(channels=("gateway",)), exceeded("alert"))
    await town.send()
    assert len(hook.requests) == 2


async def test_people_that_hear_of_a_kind_have_the_teams_digest_and_quiet_hours_all_the_same(town, hook):
    await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url, kinds=("alert",)))
    await town.service.put_preferences("acme", Preferences(digest=Digest.DAILY, digest_at=time(9)))
    await town.tell(exceeded())
    await town.send()
    assert (await town.one()).state is State.HELD


async def test_what_a_channel_hears_of_can_be_changed(town, hook):
    await town.webhook(hook.url, "gateway", by_default=False)
    assert (await town.service.change_channel("gateway", ChannelChanges(kinds=("throttle",)))).hears("throttle.changed")
    assert (await town.service.change_channel("gateway", ChannelChanges(by_default=True))).kinds == ("throttle",)
    assert not (await town.service.change_channel("gateway", ChannelChanges(kinds=()))).hears("throttle.changed")
    for wrong in ("Throttle", "throttle.", ".changed", "a b", "x" * 50, "a.b.c", ""):
        with pytest.raises(InvalidInput, match="kind"):
            await town.service.change_channel("gateway", ChannelChanges(kinds=(wrong,)))


# --- What is kept ---------------------------------------------------------------------------------


async def test_what_was_sent_is_forgotten_after_its_time_and_never_told_again(town, hook):
    await town.webhook(hook.url)
    await town.tell(exceeded("a"), exceeded("b"))
    await town.send()
    assert not await town.service.prune()
    assert await kept(town) == (2, 2, 0)

    town.clock.advance(LATER)
    assert not await town.service.prune()
    assert await kept(town) == (0, 0, 2)
    assert await town.tell(exceeded("a"), exceeded("c")) == 1
    await town.send()
    assert [each.json()["key"] for each in hook.requests][2:] == ["c"]


async def test_what_still_waits_is_kept_however_old_it_is(town, hook):
    await town.webhook(hook.url)
    await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url))
    await town.tell(exceeded("both", channels=("hook", "slack")), exceeded("sent", channels=("hook",)))
    await town.send()
    async with town.database.transaction() as tx:
        await tx.execute("UPDATE notification_deliveries SET state = 'pending', sent_at = NULL WHERE channel = 'slack'")
    town.clock.advance(LATER)
    await town.service.prune()
    assert {each.notification.key for each in await town.deliveries()} == {"both"}
    assert len(await town.deliveries()) == 2


async def test_what_was_replayed_lately_is_kept(town, hook):
    await town.webhook(hook.url)
    await town.tell(exceeded())
    await town.send()
    town.clock.advance(LATER)
    await town.service.replay((await town.one()).id)
    await town.send()
    await town.service.prune()
    assert await kept(town) == (1, 1, 0)


async def test_a_digest_goes_with_what_it_was_made_of(town, hook):
    await town.service.add_channel(NewChannel("slack", ChannelKind.SLACK, url=hook.url, by_default=True))
    await town.service.put_preferences("acme", Preferences(digest=Digest.DAILY, digest_at=time(9)))
    await town.tell(exceeded("a"), exceeded("b"))
    await town.send()
    town.clock.advance(timedelta(days=1))
    await town.send()
    assert sorted(await town.states()) == [State.MERGED, State.MERGED, State.SENT]
    town.clock.advance(LATER)
    for _ in range(2):
        await town.service.prune()
    assert await kept(town) == (0, 0, 3)


async def test_what_nobody_was_to_be_told_is_forgotten_too(town):
    await town.tell(Notification("nobody", "alert.exceeded", "acme", (), {"title": "x"}, town.clock.now()))
    await town.send()
    town.clock.advance(LATER)
    await town.service.prune()
    assert await kept(town) == (0, 0, 1)
