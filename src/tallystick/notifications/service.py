"""Notifications: channels, what teams prefer, and what became of every message."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.core.ids import new_secret
from tallystick.core.networks import Networks
from tallystick.core.settings import Settings
from tallystick.notifications import store, store_deliveries
from tallystick.notifications.channels.apprise import AppriseSender
from tallystick.notifications.channels.email import EmailSender, MailServer
from tallystick.notifications.channels.slack import SlackSender
from tallystick.notifications.channels.webhook import WebhookSender, new_signing_secret
from tallystick.notifications.checks import check_changes, check_new, check_preferences
from tallystick.notifications.courier import Courier
from tallystick.notifications.guard import Guard, UnusableUrl, shown
from tallystick.notifications.models import (
    Channel,
    ChannelChanges,
    ChannelKind,
    Delivered,
    Delivery,
    MadeChannel,
    NewChannel,
    Notification,
    Preferences,
    State,
)
from tallystick.notifications.outbox import enqueue
from tallystick.notifications.rendering import Templates
from tallystick.notifications.sending import SEND_WITHIN, Sender
from tallystick.storage.database import Connection, Database

LONGEST_OVERLAP = timedelta(days=7)
OVERLAP = timedelta(days=1)
TEST = "channel.test"
PAGE = 1000


class Carriers(NamedTuple):
    """What checks URLs, and what sends messages."""

    guard: Guard
    apprise: AppriseSender
    senders: dict[ChannelKind, Sender]

    @classmethod
    def of(cls, settings: Settings, patience: float) -> Self:
        """As the settings want them; each message may take so many seconds."""
        networks = Networks.parse(settings.private_networks or "")
        guard, templates = Guard(networks, patience=patience), Templates(settings.notification_templates)
        apprise = AppriseSender(networks, templates, patience)
        senders: dict[ChannelKind, Sender] = {
            ChannelKind.EMAIL: EmailSender(MailServer.of(settings), templates, patience),
            ChannelKind.SLACK: SlackSender(guard, templates),
            ChannelKind.WEBHOOK: WebhookSender(guard),
            ChannelKind.APPRISE: apprise,
        }
        return cls(guard, apprise, senders)


class Notifications:
    """The notifications of one installation.

    Args:
        database: where they are.
        clock: where "now" comes from.
        settings: the mail server, the templates, which networks may be reached, and how long messages are kept.
        patience: seconds that one message may take, whatever its receiver does.
    """

    def __init__(self, database: Database, clock: Clock, settings: Settings, *, patience: float = SEND_WITHIN) -> None:
        self._database = database
        self._clock = clock
        self._kept_for = timedelta(days=settings.notification_retention_days)
        self._carriers = Carriers.of(settings, patience)
        self._courier = Courier(database, clock, self._carriers.senders)

    # --- Sending ---------------------------------------------------------------------------------

    async def deliver_due(self, now: datetime) -> Delivered:
        """One round of sending what is due; it waits for no slow receiver."""
        return await self._courier.deliver_due(now)

    async def settle(self) -> None:
        """Wait for every message that is under way."""
        await self._courier.settle()

    async def prune(self) -> bool:
        """Forget messages that were done with long ago, as the settings say; whether there is more to do right now."""
        async with self._database.transaction() as tx:
            return await store_deliveries.forget_notifications(tx, self._clock.now() - self._kept_for, PAGE) == PAGE

    async def close(self) -> None:
        """Stop sending; what is under way has a few seconds to end."""
        await self._courier.close()

    # --- Channels --------------------------------------------------------------------------------

    async def add_channel(self, wanted: NewChannel) -> MadeChannel:
        """Make a channel.

        Raises:
            InvalidInput: its name, addresses or URL can't be used; the URL leads where messages may not go.
            Conflict: there is one of that name.
        """
        check_new(wanted)
        await self._check_url(wanted.kind, wanted.url)
        now = self._clock.now()
        url = shown(wanted.url) if wanted.url else None
        channel = Channel(wanted.name, wanted.kind, wanted.to, url, wanted.by_default, now, now, kinds=wanted.kinds)
        secret = new_signing_secret() if wanted.kind is ChannelKind.WEBHOOK else None
        async with self._database.transaction() as tx:
            if not await store.insert_channel(tx, channel):
                raise Conflict(f"there is a channel {wanted.name!r} already")
            if wanted.url:
                await store.set_url(tx, wanted.name, wanted.url, now)
            if secret:
                await store.add_signing_secret(tx, wanted.name, secret, now, now)
        return MadeChannel(channel, secret)

    async def change_channel(self, name: str, changes: ChannelChanges) -> Channel:
        """Change what is given of a channel. If it was paused because it failed, it is tried again at once.

        Raises:
            NotFound: there is none of that name.
            InvalidInput: an address or the URL can't be used.
        """
        channel = await self.channel(name)
        check_changes(channel.kind, changes)
        await self._check_url(channel.kind, changes.url)
        now = self._clock.now()
        url = shown(changes.url) if changes.url else None
        async with self._database.transaction() as tx:
            await store.update_channel(tx, name, now, changes, url)
            if changes.url:
                await store.set_url(tx, name, changes.url, now)
            return await _channel(tx, name)

    async def rotate_secret(self, name: str, overlap: timedelta = OVERLAP) -> str:
        """A new secret for a webhook's signatures, shown this once; the old one signs beside it for a while.

        Raises:
            NotFound: there is no such channel.
            Conflict: it is no webhook.
            InvalidInput: the overlap is negative or longer than a week.
        """
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise InvalidInput("the old secret stays valid for 0 to 168 hours", field="overlap_hours")
        now, secret = self._clock.now(), new_signing_secret()
        async with self._database.transaction() as tx:
            channel = await _channel(tx, name)
            if channel.kind is not ChannelKind.WEBHOOK:
                raise Conflict(f"channel {name!r} is {channel.kind}: only webhooks are signed")
            await store.add_signing_secret(tx, name, secret, now, now + overlap)
        return secret

    async def remove_channel(self, name: str) -> None:
        """Remove a channel with its secrets. What still waits for it is parked when its turn comes.

        Raises:
            NotFound: there is none of that name.
        """
        async with self._database.transaction() as tx:
            if not await store.delete_channel(tx, name):
                raise NotFound(f"there is no channel {name!r}")

    async def channel(self, name: str) -> Channel:
        """The channel of that name.

        Raises:
            NotFound: there is none.
        """
        async with self._database.snapshot() as tx:
            return await _channel(tx, name)

    async def channels(self, limit: int, after: str = "") -> Sequence[Channel]:
        """Up to `limit` channels whose names come after `after`, by name."""
        async with self._database.snapshot() as tx:
            return await store.list_channels(tx, limit, after)

    async def test_channel(self, name: str) -> str:
        """Send a test message to a channel by the way of every other; says its key.

        Raises:
            NotFound: there is none of that name.
        """
        key = f"test:{name}:{new_secret(16)}"
        content = {"title": "A test from Tallystick", "text": f"Channel {name} works: this message came by it."}
        async with self._database.transaction() as tx:
            await _channel(tx, name)
            await enqueue(tx, [Notification(key, TEST, None, (name,), content, self._clock.now(), urgent=True)])
        return key

    # --- What teams prefer -----------------------------------------------------------------------

    async def preferences(self, team_id: str) -> Preferences:
        """How the team wants to be told.

        Raises:
            NotFound: there is no such team.
        """
        async with self._database.snapshot() as tx:
            return await _preferences(tx, team_id)

    async def put_preferences(self, team_id: str, wanted: Preferences) -> Preferences:
        """Tell the team like this from now on; what is on its way already is left as it is.

        Raises:
            NotFound: there is no such team.
            InvalidInput: an address is none, or there is no such channel.
        """
        check_preferences(wanted)
        async with self._database.transaction() as tx:
            await _preferences(tx, team_id)
            known = await store.channels_for(tx, wanted.channels or ())
            if missing := [name for name in wanted.channels or () if name not in known]:
                raise InvalidInput(f"there is no channel {missing[0]!r}", field="channels")
            await store.put_preferences(tx, team_id, wanted, self._clock.now())
        return wanted

    # --- Deliveries ------------------------------------------------------------------------------

    async def deliveries(
        self,
        limit: int,
        *,
        before: int = store_deliveries.NEWEST,
        state: State | None = None,
        channel: str | None = None,
        team_id: str | None = None,
    ) -> Sequence[Delivery]:
        """Up to `limit` deliveries with lower numbers than `before`, newest first."""
        async with self._database.snapshot() as tx:
            return await store_deliveries.list_deliveries(
                tx, limit, before=before, state=state, channel=channel, team_id=team_id
            )

    async def delivery(self, delivery_id: int) -> Delivery:
        """The delivery of that number.

        Raises:
            NotFound: there is none.
        """
        async with self._database.snapshot() as tx:
            return await _delivery(tx, delivery_id)

    async def replay(self, delivery_id: int) -> Delivery:
        """Send what was parked, or sent, once more: the same message with the same id.

        Raises:
            NotFound: there is no such delivery.
            Conflict: it is on its way, or was told as a part of a digest.
        """
        async with self._database.transaction() as tx:
            replayed = await store_deliveries.replay_delivery(tx, delivery_id, self._clock.now())
            delivery = await _delivery(tx, delivery_id)
            if not replayed:
                raise Conflict(f"delivery {delivery_id} is {delivery.state}: only what is sent or parked is replayed")
            return delivery

    async def _check_url(self, kind: ChannelKind, url: str | None) -> None:
        if url is None:
            return
        try:
            if kind is ChannelKind.APPRISE:
                await self._carriers.apprise.check(url)
            else:
                await self._carriers.guard.resolve(url)
        except UnusableUrl as error:
            raise InvalidInput(str(error), field="url") from None
        except OSError:
            return  # its name may be known when there is something to send


async def _channel(tx: Connection, name: str) -> Channel:
    if (found := await store.find_channel(tx, name)) is None:
        raise NotFound(f"there is no channel {name!r}")
    return found


async def _preferences(tx: Connection, team_id: str) -> Preferences:
    if (found := (await store.recipients(tx, [team_id])).get(team_id)) is None:
        raise NotFound(f"there is no team {team_id!r}")
    return found.preferences


async def _delivery(tx: Connection, delivery_id: int) -> Delivery:
    if (found := await store_deliveries.find_delivery(tx, delivery_id)) is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    return found
