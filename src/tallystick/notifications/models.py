"""What a notification, a channel, a delivery and a team's preferences are. No I/O."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum
from typing import Any, NamedTuple, TypedDict
from zoneinfo import ZoneInfo


class Fact(TypedDict):
    """A line of the small table that every message shows: what it is called, and the value as text."""

    label: str
    value: str


class Notification(NamedTuple):
    """What is to be told, once.

    The built-in templates show these members of `content`, of which only the title is expected; the rest of it is for
    webhooks and for templates of your own:

    * `title`: one line, such as "Acme: API calls passed 80 % of 1,000,000"
    * `text`: what it means, a sentence or two
    * `facts`: a list of `Fact`, shown in this order
    * `link`: where more is to be seen, a URL

    Attributes:
        key: its identity. The same key is stored once for ever: `alert:12:3:2026-03-01T00:00:00Z:exceeded`.
        kind: what it is about, dotted: `alert.exceeded`, `throttle.changed`. Templates are chosen by it.
        team_id: whom it is about; None: the installation.
        channels: names of channels; none: those that the team prefers, else the installation's default ones.
        content: JSON: everything a template may show; quantities and amounts as decimal text, instants as RFC 3339.
            Decimals and aware datetimes in it are written so.
        occurred_at: when what it tells of happened.
        urgent: neither a digest nor quiet hours hold it back.
    """

    key: str
    kind: str
    team_id: str | None
    channels: tuple[str, ...]
    content: Mapping[str, Any]
    occurred_at: datetime
    urgent: bool = False


class ChannelKind(StrEnum):
    """What carries a message."""

    EMAIL = "email"
    SLACK = "slack"
    WEBHOOK = "webhook"
    APPRISE = "apprise"

    @property
    def read_by_people(self) -> bool:
        """Whether digests and quiet hours hold it back; a webhook goes to a machine, which doesn't sleep."""
        return self is not ChannelKind.WEBHOOK


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications can go. What it holds secret is not here.

    Attributes:
        name: what alerts and preferences name it by.
        kind: what carries its messages.
        to: email addresses; none: those in the preferences of the team that a notification is about.
        shown: what its URL is shown as: the host, and nothing that opens a door. None for email.
        by_default: it takes what names no channel and is about a team that prefers none.
        kinds: kinds of notification that it hears of, whoever else does: `throttle.changed`, or all of `alert`.
        created_at, updated_at: when it was made, and changed last.
        failures: how many messages in a row it did not take.
        paused_until: it takes so long to recover that nothing is sent before this. None: it is not paused.
    """

    name: str
    kind: ChannelKind
    to: tuple[str, ...]
    shown: str | None
    by_default: bool
    created_at: datetime
    updated_at: datetime
    failures: int = 0
    paused_until: datetime | None = None
    kinds: tuple[str, ...] = ()

    def hears(self, kind: str) -> bool:
        """Whether it hears of this kind whoever else does."""
        return any(kind == each or kind.startswith(f"{each}.") for each in self.kinds)


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel as it is wanted; `url` is for every kind but email, and `to` for email alone."""

    name: str
    kind: ChannelKind
    to: tuple[str, ...] = ()
    url: str | None = field(default=None, repr=False)
    by_default: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelChanges:
    """What is to be another of a channel; None leaves it."""

    to: tuple[str, ...] | None = None
    url: str | None = field(default=None, repr=False)
    by_default: bool | None = None
    kinds: tuple[str, ...] | None = None


class MadeChannel(NamedTuple):
    """A channel that was made just now. The secret that its receiver checks signatures with is shown this once."""

    channel: Channel
    signing_secret: str | None

    def __repr__(self) -> str:
        """Without the secret."""
        return f"MadeChannel({self.channel!r})"


class Digest(StrEnum):
    """How often what is not urgent is told, all at once."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


class QuietHours(NamedTuple):
    """Local times `[start, end)` at which nobody wants to be told; over midnight where the end is the earlier."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a team wants to be told. Neither digest nor quiet hours hold back what is urgent, or a webhook.

    Attributes:
        channels: where what names no channel goes; None: to the installation's default ones.
        emails: to whom email channels write that have no address of their own.
        digest: collect what is not urgent; weekly ones come on Mondays.
        digest_at: when, in the team's zone.
        quiet: when nothing is told, in the team's zone; None: there is no such time.
    """

    channels: tuple[str, ...] | None = None
    emails: tuple[str, ...] = ()
    digest: Digest = Digest.OFF
    digest_at: time = time(9)
    quiet: QuietHours | None = None


class Recipient(NamedTuple):
    """A team as notifications see it: what it prefers, and the zone in which its hours are."""

    preferences: Preferences
    zone: ZoneInfo


class State(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    """It is sent when it is due."""

    HELD = "held"
    """It waits for the team's digest."""

    SENT = "sent"
    """The receiver took it."""

    PARKED = "parked"
    """It was given up; it can be replayed."""

    MERGED = "merged"
    """It was told as a part of a digest."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification on its way to one channel and, of email, one recipient.

    Attributes:
        id: its number.
        message_id: what receivers tell messages apart by: the same in every attempt and replay.
        channel: the channel's name; there may be no such channel any more.
        target: of email the address, else empty.
        state: how it stands.
        due_at: when it is sent, or tried again.
        attempts: how often it was tried since it was last replayed.
        replays: how often it was replayed.
        uncertain: an attempt ended without an answer, so that it may have arrived.
        last_error: what went wrong last.
        created_at: when it was decided that it is to be sent.
        sent_at: when it was taken.
        notification: what is told.
    """

    id: int
    message_id: str
    channel: str
    target: str
    state: State
    due_at: datetime
    attempts: int
    replays: int
    uncertain: bool
    last_error: str | None
    created_at: datetime
    sent_at: datetime | None
    notification: Notification


class Delivered(NamedTuple):
    """What one round of sending did.

    Attributes:
        started: how many deliveries were begun.
        more: there may be more to do at once.
    """

    started: int
    more: bool


def message_id(key: str, channel: str, target: str) -> str:
    """The identity of the message that tells this notification there: the same whenever it is made."""
    named = json.dumps([key, channel, target], ensure_ascii=False).encode()
    return f"msg_{hashlib.blake2b(named, digest_size=16).hexdigest()}"
