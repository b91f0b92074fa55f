"""The statements about notifications and their deliveries, run."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.sql import SQL

from tallystick.http.answers import dumps
from tallystick.notifications.models import ChannelKind, Delivery, Notification, State
from tallystick.notifications.store import QUERIES
from tallystick.storage.database import Connection

NEWEST = 2**62
"""The position before the newest delivery."""

_DELIVERY = SQL(
    "d.id, d.message_id, d.channel, d.target, d.state, d.due_at, d.attempts, d.replays, d.uncertain, d.last_error, "
    "d.created_at, d.sent_at, n.key, n.kind, n.team_id, n.channels, n.content, n.occurred_at, n.urgent"
)
_NOTIFICATION = 12
_WIDTH = 19


class Due(NamedTuple):
    """What there is to do."""

    routing: bool
    digests: bool
    sending: bool


class Stored(NamedTuple):
    """A notification with its number."""

    id: int
    notification: Notification


class Planned(NamedTuple):
    """A delivery that is to be."""

    notification_id: int
    channel: str
    target: str
    message_id: str
    state: State
    due_at: datetime
    urgent: bool
    last_error: str | None = None


class Held(NamedTuple):
    """A delivery that waits for a digest, and what is told by it."""

    id: int
    team_id: str
    channel: str
    target: str
    content: Mapping[str, Any]
    occurred_at: datetime


class Claim(NamedTuple):
    """What a round may take, and what is under way already.

    Attributes:
        now: the present instant.
        leased_until: how long what is taken belongs to this process.
        under_way: how many deliveries are, by channel.
        per_channel: how many may be of one channel.
        limit: how many to take.
    """

    now: datetime
    leased_until: datetime
    under_way: Mapping[str, int]
    per_channel: int
    limit: int


class Claimed(NamedTuple):
    """A delivery that this process has until its lease ends, and what it takes to send it.

    Attributes:
        delivery: what is to be sent.
        team: the name of the team that it is about.
        kind: of its channel; None: there is no such channel.
        url: where it goes; None: by email.
        signing_secrets: every one that is valid, the newest first.
    """

    delivery: Delivery
    team: str | None
    kind: ChannelKind | None
    url: str | None
    signing_secrets: tuple[str, ...]

    def __repr__(self) -> str:
        """Without secrets."""
        return f"Claimed({self.delivery.id}, {self.delivery.channel!r})"


async def what_is_due(tx: Connection, now: datetime) -> Due:
    """Whether there is something to do."""
    row = await (await tx.execute(QUERIES["due"], {"now": now})).fetchone()
    assert row
    return Due(*row)


async def take_unrouted(tx: Connection, limit: int) -> list[Stored]:
    """Some notifications without deliveries, locked, urgent ones first, then the oldest."""
    rows = await (await tx.execute(QUERIES["take_unrouted"], {"limit": limit})).fetchall()
    return [Stored(row[0], _notification(row[1:])) for row in rows]


async def add_deliveries(tx: Connection, planned: Sequence[Planned], now: datetime) -> None:
    """Add deliveries; what exists stays as it is."""
    if planned:
        rows = dumps([each._asdict() for each in planned]).decode()
        await tx.execute(QUERIES["insert_deliveries"], {"deliveries": rows, "now": now})


async def mark_routed(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    """The notifications have all their deliveries."""
    await tx.execute(QUERIES["mark_routed"], {"ids": list(ids), "now": now})


async def take_held(tx: Connection, now: datetime, limit: int) -> list[Held]:
    """Some deliveries whose digest is due, locked; those of one digest follow each other."""
    rows = await (await tx.execute(QUERIES["take_held"], {"now": now, "limit": limit})).fetchall()
    return [Held(*row) for row in rows]


async def add_digest(tx: Connection, digest: Notification, merged: Sequence[int], now: datetime) -> int:
    """Add a notification that is made of others, whose deliveries are told by it; says its number."""
    values = {
        "key": digest.key,
        "kind": digest.kind,
        "team_id": digest.team_id,
        "channel": digest.channels[0],
        "content": dumps(digest.content).decode(),
        "now": now,
    }
    row = await (await tx.execute(QUERIES["insert_digest"], values)).fetchone()
    assert row
    await tx.execute(QUERIES["mark_merged"], {"digest": row[0], "ids": list(merged)})
    return int(row[0])


async def claim(tx: Connection, wanted: Claim) -> list[Claimed]:
    """Take deliveries that are due, urgent ones first."""
    values = {**wanted._asdict(), "under_way": json.dumps(dict(wanted.under_way))}
    rows = await (await tx.execute(QUERIES["claim"].format(delivery=_DELIVERY), values)).fetchall()
    return [_claimed(row) for row in rows]


async def mark_sent(tx: Connection, delivery_id: int, leased_until: datetime, now: datetime) -> None:
    """The receiver took it."""
    await tx.execute(QUERIES["mark_sent"], {"id": delivery_id, "leased_until": leased_until, "now": now})


async def mark_failed(
    tx: Connection,
    delivery_id: int,
    leased_until: datetime,
    *,
    state: State,
    due_at: datetime,
    error: str,
    uncertain: bool,
) -> None:
    """The receiver did not take it: it is pending again, or parked."""
    values = {
        "id": delivery_id,
        "leased_until": leased_until,
        "state": state,
        "due_at": due_at,
        "error": error,
        "uncertain": uncertain,
    }
    await tx.execute(QUERIES["mark_failed"], values)


async def channel_recovered(tx: Connection, name: str) -> None:
    """The channel takes messages."""
    await tx.execute(QUERIES["channel_recovered"], {"name": name})


async def count_failure(tx: Connection, name: str) -> int:
    """The channel failed; says how often in a row. 0: there is no such channel any more."""
    row = await (await tx.execute(QUERIES["count_failure"], {"name": name})).fetchone()
    return int(row[0]) if row else 0


async def pause_channel(tx: Connection, name: str, until: datetime) -> None:
    """Send nothing to the channel before an instant."""
    await tx.execute(QUERIES["pause_channel"], {"name": name, "until": until})


async def list_deliveries(
    tx: Connection,
    limit: int,
    *,
    before: int = NEWEST,
    state: State | None = None,
    channel: str | None = None,
    team_id: str | None = None,
) -> list[Delivery]:
    """Up to `limit` deliveries with lower numbers than `before`, newest first."""
    values = {"limit": limit, "before": before, "state": state, "channel": channel, "team_id": team_id}
    rows = await (await tx.execute(QUERIES["list_deliveries"].format(delivery=_DELIVERY), values)).fetchall()
    return [_delivery(row) for row in rows]


async def find_delivery(tx: Connection, delivery_id: int) -> Delivery | None:
    """The delivery of that number."""
    statement = QUERIES["find_delivery"].format(delivery=_DELIVERY)
    row = await (await tx.execute(statement, {"id": delivery_id})).fetchone()
    return _delivery(row) if row else None


async def replay_delivery(tx: Connection, delivery_id: int, now: datetime) -> bool:
    """Send it once more; whether it was sent or parked before."""
    return (await tx.execute(QUERIES["replay_delivery"], {"id": delivery_id, "now": now})).rowcount == 1


async def forget_notifications(tx: Connection, before: datetime, limit: int) -> int:
    """Remove up to `limit` notifications that were done with before an instant, and their deliveries; how many.

    Their keys are told once for ever all the same.
    """
    rows = await (await tx.execute(QUERIES["old_notifications"], {"before": before, "limit": limit})).fetchall()
    ids = [id for (id,) in rows]
    if ids:
        await tx.execute(QUERIES["forget_deliveries"], {"ids": ids})
        await tx.execute(QUERIES["forget_notifications"], {"ids": ids})
    return len(ids)


def _notification(row: Sequence[Any]) -> Notification:
    key, kind, team_id, channels, content, occurred_at, urgent = row
    return Notification(key, kind, team_id, tuple(channels), content, occurred_at, urgent)


def _delivery(row: Sequence[Any]) -> Delivery:
    number, message, channel, target, state, *rest = row[:_NOTIFICATION]
    notification = _notification(row[_NOTIFICATION:_WIDTH])
    return Delivery(*(number, message, channel, target, State(state), *rest, notification))


def _claimed(row: Sequence[Any]) -> Claimed:
    team, kind, url, signing = row[_WIDTH:]
    return Claimed(_delivery(row[:_WIDTH]), team, ChannelKind(kind) if kind else None, url, tuple(signing))
