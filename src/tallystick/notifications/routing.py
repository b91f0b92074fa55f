"""From a notification to its deliveries: which channels, whom of each, and when. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from tallystick.notifications.models import (
    Channel,
    ChannelKind,
    Notification,
    Recipient,
    State,
    message_id,
)
from tallystick.notifications.store_deliveries import Held, Planned, Stored
from tallystick.notifications.timing import schedule

DIGEST = "notifications.digest"
"""The kind of what tells several notifications at once."""


class Digested(NamedTuple):
    """A digest, whom of the channel it is for, and the deliveries that it takes the place of."""

    notification: Notification
    target: str
    merged: Sequence[int]


def names_of(notification: Notification, recipient: Recipient | None) -> tuple[str, ...] | None:
    """The channels that a notification goes to; None: the installation's default ones."""
    if notification.channels:
        return notification.channels
    return recipient.preferences.channels if recipient else None


def deliveries(
    stored: Stored, channels: Mapping[str, Channel], recipient: Recipient | None, now: datetime
) -> Iterator[Planned]:
    """The deliveries of a notification. What can't be sent is parked at once, so that it shows.

    Args:
        stored: the notification.
        channels: the default channels, those that it may name, and those that hear of some kinds.
        recipient: the team that it is about; None: it is about none.
        now: the present instant.
    """
    named = names_of(stored.notification, recipient)
    if named is None:
        named = tuple(sorted(name for name, channel in channels.items() if channel.by_default))
    listening = sorted(name for name, channel in channels.items() if channel.hears(stored.notification.kind))
    for name in dict.fromkeys((*named, *listening)):
        if channel := channels.get(name):
            yield from _to_channel(stored, channel, recipient, now)
        else:
            yield _parked(stored, name, now, f"there is no channel {name!r}")


def digests(held: Sequence[Held], now: datetime) -> Iterator[Digested]:
    """What was held, told at once: one for each team, channel and recipient."""
    for (team_id, channel, target), group in groupby(held, key=lambda each: (each.team_id, each.channel, each.target)):
        parts = list(group)
        many = f"{len(parts)} notifications" if len(parts) > 1 else "1 notification"
        content = {"title": f"{many} about {team_id}", "items": [_item(each) for each in parts]}
        key = f"digest:{parts[0].id}"  # which one is part of it once for ever, so this names it once for ever
        notification = Notification(key, DIGEST, team_id, (channel,), content, now, urgent=True)
        yield Digested(notification, target, [each.id for each in parts])


def _item(held: Held) -> dict[str, Any]:
    return {**held.content, "occurred_at": held.occurred_at}


def _to_channel(stored: Stored, channel: Channel, recipient: Recipient | None, now: datetime) -> Iterator[Planned]:
    state, due_at = schedule(stored.notification, channel.kind, recipient, now)
    targets = _targets(channel, recipient)
    for target in targets:
        identity = message_id(stored.notification.key, channel.name, target)
        yield Planned(stored.id, channel.name, target, identity, state, due_at, stored.notification.urgent)
    if not targets:
        yield _parked(stored, channel.name, now, "neither the channel nor the team's preferences name an address")


def _targets(channel: Channel, recipient: Recipient | None) -> Sequence[str]:
    if channel.kind is not ChannelKind.EMAIL:
        return ("",)
    emails = channel.to or (recipient.preferences.emails if recipient else ())
    return tuple(dict.fromkeys(emails))


def _parked(stored: Stored, channel: str, now: datetime, error: str) -> Planned:
    identity = message_id(stored.notification.key, channel, "")
    return Planned(stored.id, channel, "", identity, State.PARKED, now, stored.notification.urgent, error)
