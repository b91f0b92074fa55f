"""When a message may be sent: quiet hours and digests in a team's wall time, and how long to wait after a failure."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import SystemRandom
from zoneinfo import ZoneInfo

from tallystick.notifications.models import ChannelKind, Digest, Notification, QuietHours, Recipient, State

MOST_ATTEMPTS = 12
"""With the pauses below, a message is given up after 16 to 32 hours."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=6)

FAILURES_BEFORE_PAUSE = 3
LONGEST_CHANNEL_PAUSE = timedelta(minutes=5)

MONDAY = 0
CHANCE = SystemRandom().random


def schedule(
    notification: Notification, kind: ChannelKind, recipient: Recipient | None, now: datetime
) -> tuple[State, datetime]:
    """Whether a new message is sent or held for a digest, and when.

    Args:
        notification: what is told.
        kind: what carries it.
        recipient: the team that it is about; None: it is about none, and nothing holds it back.
        now: the present instant.
    """
    if recipient is None or notification.urgent or not kind.read_by_people:
        return State.PENDING, now
    preferences = recipient.preferences
    if preferences.digest is not Digest.OFF:
        return State.HELD, next_digest(preferences.digest, preferences.digest_at, recipient.zone, now)
    return State.PENDING, after_quiet(preferences.quiet, recipient.zone, now)


def after_quiet(quiet: QuietHours | None, zone: ZoneInfo, moment: datetime) -> datetime:
    """The first instant from `moment` on that is not in the quiet hours, in UTC."""
    if quiet is None or not _is_quiet(quiet, moment.astimezone(zone).time()):
        return moment
    return _next_at(quiet.end, zone, moment)


def next_digest(digest: Digest, at: time, zone: ZoneInfo, now: datetime) -> datetime:
    """The first instant after `now` at which a digest is due, in UTC."""
    found = _next_at(at, zone, now)
    while digest is Digest.WEEKLY and found.astimezone(zone).weekday() != MONDAY:
        found = _next_at(at, zone, found)
    return found


def pause_after(attempts: int, chance: Callable[[], float] = CHANCE) -> timedelta:
    """How long to wait after so many attempts: four times as long each time, less up to half by chance.

    Chance keeps messages that failed together from coming back together.
    """
    doublings = 2 * (min(attempts, MOST_ATTEMPTS) - 1)
    longest = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)
    return longest * (1 - chance() / 2)


def channel_pause(failures: int) -> timedelta:
    """How long a channel is left alone after so many failures in a row.

    One message that a receiver chokes on holds up nobody; a receiver that is down is asked once in five minutes.
    """
    beyond = failures - FAILURES_BEFORE_PAUSE
    if beyond < 0:
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(beyond, MOST_ATTEMPTS)), LONGEST_CHANNEL_PAUSE)


def _is_quiet(quiet: QuietHours, local: time) -> bool:
    if quiet.start <= quiet.end:
        return quiet.start <= local < quiet.end
    return local >= quiet.start or local < quiet.end


def _next_at(at: time, zone: ZoneInfo, moment: datetime) -> datetime:
    """The first instant after `moment` at which clocks in the zone show the time."""
    day = moment.astimezone(zone).date()
    following = (day, day + timedelta(days=1), day + timedelta(days=2))
    return min(found for each in following for found in _instants(each, at, zone) if found > moment)


def _instants(day: date, at: time, zone: ZoneInfo) -> list[datetime]:
    """The instant of that local time, both when clocks go back over it; an hour later where they skip it."""
    local = datetime.combine(day, at, zone)
    both = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return [each for each in both if each.astimezone(zone).time() == at] or both[:1]
