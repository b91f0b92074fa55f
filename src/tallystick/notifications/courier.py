"""Sends what is due: routes new notifications, makes digests, and has a bounded number of messages under way.

A receiver that hangs holds up nobody else: of each channel only a few messages are under way at once, of one that
fails a single one, and after some failures in a row the channel is left alone for a while.

A message belongs to the process that sends it until its lease ends. What becomes of it is written down only while the
lease is held, so two processes never both send it unless one of them died over it; then the next attempt knows that it
may be a repetition, and has the same message id.
"""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain

from tallystick.core.clock import Clock
from tallystick.core.errors import TallystickError
from tallystick.notifications import store, store_deliveries
from tallystick.notifications.models import ChannelKind, Delivered, Recipient, State, message_id
from tallystick.notifications.routing import deliveries, digests, names_of
from tallystick.notifications.sending import NotSent, Outgoing, Sender
from tallystick.notifications.store_deliveries import Claim, Claimed, Planned, Stored
from tallystick.notifications.timing import MOST_ATTEMPTS, after_quiet, channel_pause, pause_after
from tallystick.storage.database import Connection, Database

log = logging.getLogger(__name__)

AT_ONCE = 32
PER_CHANNEL = 4
ROUTED_AT_ONCE = 500
HELD_AT_ONCE = 5000
LEASE = timedelta(minutes=2)
WAIT_FOR_SOME = 0.1
"""Seconds that a round waits for something that it started, so that the next round has room."""

LAST_WAIT = 3.0
NOTE_ATTEMPTS = 5
NOTE_PAUSE = 1.0


class Courier:
    """Sends notifications.

    Args:
        database: where they are.
        clock: where "now" comes from.
        senders: what sends messages of each kind of channel.
    """

    def __init__(self, database: Database, clock: Clock, senders: Mapping[ChannelKind, Sender]) -> None:
        self._database = database
        self._clock = clock
        self._senders = senders
        self._under_way: dict[asyncio.Task[None], str] = {}

    async def deliver_due(self, now: datetime) -> Delivered:
        """One round: begin to send what is due, and wait a moment for some of it.

        Returns:
            Without waiting for receivers that are slow; `settle` does that.
        """
        async with self._database.connection() as connection:
            due = await store_deliveries.what_is_due(connection, now)
        routed = await self._route(now) if due.routing else 0
        merged = await self._merge(now) if due.digests else 0
        started = await self._start(now) if due.sending or routed or merged else 0
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=WAIT_FOR_SOME, return_when=asyncio.FIRST_COMPLETED)
        return Delivered(started, more=bool(routed or merged or started))

    async def settle(self) -> None:
        """Wait for everything that is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def close(self) -> None:
        """Wait a little for what is under way, and break the rest off. It is tried again when its lease has ended."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_WAIT)
        left = list(self._under_way)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _route(self, now: datetime) -> int:
        """Make deliveries of new notifications; says of how many."""
        async with self._database.transaction() as tx:
            found = await store_deliveries.take_unrouted(tx, ROUTED_AT_ONCE)
            await store_deliveries.add_deliveries(tx, await _planned(tx, found, now), now)
            await store_deliveries.mark_routed(tx, [each.id for each in found], now)
        return len(found)

    async def _merge(self, now: datetime) -> int:
        """Make digests of what is held for them; says how many."""
        async with self._database.transaction() as tx:
            made = list(digests(await store_deliveries.take_held(tx, now, HELD_AT_ONCE), now))
            for notification, target, merged in made:
                number = await store_deliveries.add_digest(tx, notification, merged, now)
                channel = notification.channels[0]
                identity = message_id(notification.key, channel, target)
                planned = Planned(number, channel, target, identity, State.PENDING, now, urgent=True)
                await store_deliveries.add_deliveries(tx, [planned], now)
        return len(made)

    async def _start(self, now: datetime) -> int:
        """Claim what is due and begin to send it; says how much."""
        if (room := AT_ONCE - len(self._under_way)) <= 0:
            return 0
        wanted = Claim(now, now + LEASE, Counter(self._under_way.values()), PER_CHANNEL, room)
        async with self._database.transaction() as tx:
            claimed = await store_deliveries.claim(tx, wanted)
        for each in claimed:
            task = asyncio.create_task(self._deliver(each, wanted.leased_until))
            self._under_way[task] = each.delivery.channel
            task.add_done_callback(self._under_way.pop)
        return len(claimed)

    async def _deliver(self, claimed: Claimed, leased_until: datetime) -> None:
        failure: NotSent | None = None
        try:
            await self._send(claimed)
        except NotSent as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever it was, the message is tried again
            where = "".join(traceback.format_tb(error.__traceback__))  # the error's own text may hold a URL
            log.error("delivery %d failed unexpectedly: %s\n%s", claimed.delivery.id, type(error).__name__, where)
            failure = NotSent(f"sending failed unexpectedly: {type(error).__name__}", uncertain=True)
        await self._note(claimed, leased_until, failure)

    async def _send(self, claimed: Claimed) -> None:
        delivery = claimed.delivery
        if claimed.kind is None:
            raise NotSent(f"there is no channel {delivery.channel!r}", final=True)
        outgoing = Outgoing(delivery, self._clock.now(), claimed.team, claimed.url, claimed.signing_secrets)
        await self._senders[claimed.kind].send(outgoing)

    async def _note(self, claimed: Claimed, leased_until: datetime, failure: NotSent | None) -> None:
        """Write down what came of it, with patience: if it can't be, it is sent again after the lease."""
        for attempt in range(NOTE_ATTEMPTS):
            if attempt:
                await asyncio.sleep(NOTE_PAUSE)
            with suppress(TallystickError):
                async with self._database.transaction() as tx:
                    await self._outcome(tx, claimed, leased_until, failure)
                return
        log.error("delivery %d: what came of it could not be written down", claimed.delivery.id)

    async def _outcome(self, tx: Connection, claimed: Claimed, leased_until: datetime, failure: NotSent | None) -> None:
        delivery, now = claimed.delivery, self._clock.now()
        if failure is None:
            await store_deliveries.mark_sent(tx, delivery.id, leased_until, now)
            await store_deliveries.channel_recovered(tx, delivery.channel)
            return
        parked = failure.final or delivery.attempts >= MOST_ATTEMPTS
        log.warning("delivery %d %s: %s", delivery.id, "is parked" if parked else "has to wait", failure)
        await store_deliveries.mark_failed(
            tx,
            delivery.id,
            leased_until,
            state=State.PARKED if parked else State.PENDING,
            due_at=now if parked else await _next_attempt(tx, claimed, failure, now),
            error=str(failure),
            uncertain=failure.uncertain,
        )
        if failure.channel_fault:
            failures = await store_deliveries.count_failure(tx, delivery.channel)
            await store_deliveries.pause_channel(tx, delivery.channel, now + channel_pause(failures))


async def _planned(tx: Connection, found: Sequence[Stored], now: datetime) -> list[Planned]:
    teams = {each.notification.team_id for each in found} - {None}
    recipients = await store.recipients(tx, sorted(filter(None, teams)))
    named = [names_of(each.notification, _recipient(recipients, each)) or () for each in found]
    channels = await store.channels_for(tx, sorted(set(chain.from_iterable(named))))
    return [planned for each in found for planned in deliveries(each, channels, _recipient(recipients, each), now)]


def _recipient(recipients: Mapping[str, Recipient], stored: Stored) -> Recipient | None:
    return recipients.get(stored.notification.team_id or "")


async def _next_attempt(tx: Connection, claimed: Claimed, failure: NotSent, now: datetime) -> datetime:
    """When to try again: not in the team's quiet hours, and not before the receiver wants it."""
    pause = max(pause_after(claimed.delivery.attempts), failure.retry_after or timedelta(0))
    notification = claimed.delivery.notification
    if notification.urgent or notification.team_id is None or not (claimed.kind and claimed.kind.read_by_people):
        return now + pause
    recipients = await store.recipients(tx, [notification.team_id])
    if (recipient := recipients.get(notification.team_id)) is None:
        return now + pause
    return after_quiet(recipient.preferences.quiet, recipient.zone, now + pause)
