"""When a message may be sent, in a team's wall time, also when its clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.notifications.models import Digest, QuietHours
from tallystick.notifications.timing import (
    LONGEST_CHANNEL_PAUSE,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    after_quiet,
    channel_pause,
    next_digest,
    pause_after,
)

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
NIGHT, NOON = QuietHours(time(22), time(7)), QuietHours(time(12), time(13, 30))


def at(zone: ZoneInfo, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        (NIGHT, "2026-03-15 21:59:59", "2026-03-15 21:59:59"),
        (NIGHT, "2026-03-15 22:00", "2026-03-16 07:00"),
        (NIGHT, "2026-03-16 00:00", "2026-03-16 07:00"),
        (NIGHT, "2026-03-16 06:59:59", "2026-03-16 07:00"),
        (NIGHT, "2026-03-16 07:00", "2026-03-16 07:00"),
        (NOON, "2026-03-16 12:00", "2026-03-16 13:30"),
        (NOON, "2026-03-16 13:30", "2026-03-16 13:30"),
        (NOON, "2026-03-16 23:00", "2026-03-16 23:00"),
        (None, "2026-03-16 23:00", "2026-03-16 23:00"),
    ],
)
def test_quiet_hours_include_their_start_and_exclude_their_end(quiet, moment, until):
    assert after_quiet(quiet, BERLIN, at(BERLIN, moment)) == at(BERLIN, until)


def test_a_night_in_which_clocks_change_is_an_hour_shorter_or_longer():
    for day, hours in (("2026-03-28", 8), ("2026-10-24", 10), ("2026-06-01", 9)):
        start = at(BERLIN, f"{day} 22:00")
        assert after_quiet(NIGHT, BERLIN, start) - start == timedelta(hours=hours)


def test_an_end_that_clocks_skip_is_the_hour_after_and_one_that_comes_twice_is_the_next():
    early = QuietHours(time(0), time(2, 30))
    assert after_quiet(early, BERLIN, at(BERLIN, "2026-03-29 01:00")) == at(BERLIN, "2026-03-29 03:30")
    assert after_quiet(early, BERLIN, at(BERLIN, "2026-10-25 01:00")) == at(BERLIN, "2026-10-25 02:30")
    again = at(BERLIN, "2026-10-25 02:15", fold=1)
    assert after_quiet(early, BERLIN, again) == at(BERLIN, "2026-10-25 02:30", fold=1)


@pytest.mark.parametrize(
    ("digest", "now", "due"),
    [
        (Digest.DAILY, "2026-03-15 08:59", "2026-03-15 09:00"),
        (Digest.DAILY, "2026-03-15 09:00", "2026-03-16 09:00"),
        (Digest.WEEKLY, "2026-03-16 08:59", "2026-03-16 09:00"),
        (Digest.WEEKLY, "2026-03-16 09:00", "2026-03-23 09:00"),
        (Digest.WEEKLY, "2026-03-22 23:59", "2026-03-23 09:00"),
    ],
)
def test_a_digest_comes_at_its_hour_and_weekly_ones_on_mondays(digest, now, due):
    assert next_digest(digest, time(9), NEW_YORK, at(NEW_YORK, now)) == at(NEW_YORK, due)


@given(
    st.integers(0, 365 * 24 * 60),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "UTC"]),
    st.times(),
    st.times(),
)
def test_what_is_put_off_is_put_off_by_less_than_two_days_and_never_into_the_past(minutes, name, start, end):
    zone, moment = ZoneInfo(name), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    quiet = QuietHours(start.replace(microsecond=0), end.replace(microsecond=0))
    for due in (after_quiet(quiet, zone, moment), next_digest(Digest.DAILY, start, zone, moment)):
        assert moment <= due < moment + timedelta(days=2)


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_pauses_grow_to_a_bound_and_chance_takes_off_up_to_half(attempts, chance):
    longest = pause_after(attempts, lambda: 0.0)
    assert longest / 2 <= pause_after(attempts, lambda: chance) <= longest <= LONGEST_PAUSE
    assert longest <= pause_after(attempts + 1, lambda: 0.0)


def test_a_message_is_tried_for_a_day_at_least():
    shortest = sum((pause_after(n, lambda: 0.999) for n in range(1, MOST_ATTEMPTS)), timedelta())
    longest = sum((pause_after(n, lambda: 0.0) for n in range(1, MOST_ATTEMPTS)), timedelta())
    assert timedelta(hours=15) < shortest < longest < timedelta(hours=33)


def test_a_channel_is_left_alone_only_after_it_failed_repeatedly_and_never_for_long():
    assert [channel_pause(n) for n in (1, 2)] == [timedelta(0)] * 2
    assert channel_pause(3) > timedelta(0)
    assert channel_pause(10_000) == LONGEST_CHANNEL_PAUSE
