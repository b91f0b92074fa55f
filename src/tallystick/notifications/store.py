"""The statements about channels, their secrets, and what teams prefer, run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.sql import SQL

from tallystick.core.clock import zone
from tallystick.http.answers import dumps
from tallystick.notifications.models import (
    Channel,
    ChannelChanges,
    ChannelKind,
    Digest,
    Preferences,
    QuietHours,
    Recipient,
)
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")

_CHANNEL = SQL(
    "c.name, c.kind, c.settings, c.by_default, c.created_at, c.updated_at, c.failures, "
    "nullif(c.paused_until, '-infinity'), c.kinds"
)


async def insert_channel(tx: Connection, channel: Channel) -> bool:
    """Add a channel; whether there was none of its name."""
    values = {
        "name": channel.name,
        "kind": channel.kind,
        "settings": _settings(to=channel.to, shown=channel.shown),
        "by_default": channel.by_default,
        "kinds": list(channel.kinds),
        "now": channel.created_at,
    }
    return (await tx.execute(QUERIES["insert_channel"], values)).rowcount == 1


async def update_channel(tx: Connection, name: str, now: datetime, changes: ChannelChanges, shown: str | None) -> None:
    """Change what is given (not None) of a channel, and what its URL is shown as."""
    values = {
        "name": name,
        "settings": _settings(to=changes.to, shown=shown),
        "by_default": changes.by_default,
        "kinds": None if changes.kinds is None else list(changes.kinds),
        "now": now,
    }
    await tx.execute(QUERIES["update_channel"], values)


async def delete_channel(tx: Connection, name: str) -> bool:
    """Remove a channel and its secrets; whether there was one."""
    return (await tx.execute(QUERIES["delete_channel"], {"name": name})).rowcount == 1


async def find_channel(tx: Connection, name: str) -> Channel | None:
    """The channel of that name."""
    found = await _channels(tx, "find_channel", {"name": name})
    return found[0] if found else None


async def list_channels(tx: Connection, limit: int, after: str = "") -> list[Channel]:
    """Up to `limit` channels whose names come after `after`, by name."""
    return await _channels(tx, "list_channels", {"limit": limit, "after": after})


async def channels_for(tx: Connection, names: Sequence[str]) -> dict[str, Channel]:
    """Those of the channels that exist, the default ones, and those that hear of some kinds, by name."""
    return {each.name: each for each in await _channels(tx, "channels_for", {"names": list(names)})}


async def set_url(tx: Connection, channel: str, url: str, now: datetime) -> None:
    """Make this the channel's URL."""
    await tx.execute(QUERIES["set_url"], {"channel": channel, "secret": url, "now": now})


async def add_signing_secret(tx: Connection, channel: str, secret: str, now: datetime, old_until: datetime) -> None:
    """Sign with this from now on, and with those that there were until an instant."""
    await tx.execute(QUERIES["end_signing_secrets"], {"channel": channel, "now": now, "until": old_until})
    await tx.execute(QUERIES["add_signing_secret"], {"channel": channel, "secret": secret, "now": now})


async def recipients(tx: Connection, team_ids: Sequence[str]) -> dict[str, Recipient]:
    """Those of the teams that exist, by id."""
    rows = await (await tx.execute(QUERIES["recipients"], {"teams": list(team_ids)})).fetchall()
    return {row[0]: Recipient(_preferences(row[3:]) if row[2] else Preferences(), zone(row[1])) for row in rows}


async def put_preferences(tx: Connection, team_id: str, preferences: Preferences, now: datetime) -> None:
    """Make these the team's preferences."""
    quiet = preferences.quiet
    values = {
        "team_id": team_id,
        "channels": None if preferences.channels is None else list(preferences.channels),
        "emails": list(preferences.emails),
        "digest": preferences.digest,
        "digest_at": preferences.digest_at,
        "quiet_from": quiet.start if quiet else None,
        "quiet_to": quiet.end if quiet else None,
        "now": now,
    }
    await tx.execute(QUERIES["put_preferences"], values)


def _settings(**given: Any) -> str:
    """What is given, as JSON text."""
    return dumps({name: value for name, value in given.items() if value is not None}).decode()


async def _channels(tx: Connection, statement: str, values: dict[str, Any]) -> list[Channel]:
    rows = await (await tx.execute(QUERIES[statement].format(channel=_CHANNEL), values)).fetchall()
    return [_channel(row) for row in rows]


def _channel(row: tuple[Any, ...]) -> Channel:
    name, kind, settings, *rest, kinds = row
    to, shown = tuple(settings.get("to", ())), settings.get("shown")
    return Channel(*(name, ChannelKind(kind), to, shown, *rest, tuple(kinds)))


def _preferences(row: tuple[Any, ...]) -> Preferences:
    channels, emails, digest, digest_at, quiet_from, quiet_to = row
    return Preferences(
        channels=None if channels is None else tuple(channels),
        emails=tuple(emails),
        digest=Digest(digest),
        digest_at=digest_at,
        quiet=QuietHours(quiet_from, quiet_to) if quiet_from is not None else None,
    )
