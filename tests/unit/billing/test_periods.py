"""Where billing periods begin and end: examples that people argue about, and laws for every zone and unit."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing.periods import Schedule
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval, zone

HALF_HOUR_DST, NO_MIDNIGHT, SKIPPED_A_DAY = "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"
ZONES = (
    HALF_HOUR_DST,
    "Asia/Kathmandu",
    "America/New_York",
    SKIPPED_A_DAY,
    NO_MIDNIGHT,
    "Pacific/Kiritimati",
    "UTC",
)
MICROSECOND = timedelta(microseconds=1)
TEN_YEARS = Interval(datetime(2008, 1, 1, tzinfo=UTC), datetime(2018, 1, 1, tzinfo=UTC))


def schedule(unit, anchor, starts_at, time_zone="UTC", *, every=1, ends_at=None):
    tz = zone(time_zone)
    start = datetime.fromisoformat(starts_at).replace(tzinfo=tz)
    end = datetime.fromisoformat(ends_at).replace(tzinfo=tz) if ends_at else None
    cadence = BillingPeriod(PeriodUnit(unit), every)
    return Schedule(cadence, Anchor(anchor), start.astimezone(UTC), end and end.astimezone(UTC), tz)


def local_starts(of, count):
    """The first starts, as clocks on the wall show them."""
    interval = Interval(of.starts_at, datetime(2100, 1, 1, tzinfo=UTC))
    return [f"{p.start.astimezone(of.zone):%Y-%m-%d %H:%M}" for p in islice(of.periods(interval), count)]


def test_a_month_that_is_too_short_moves_one_boundary_and_not_those_after_it():
    monthly = schedule("month", "anniversary", "2026-01-31T09:30")

    assert local_starts(monthly, 5) == [
        "2026-01-31 09:30",
        "2026-02-28 09:30",
        "2026-03-31 09:30",
        "2026-04-30 09:30",
        "2026-05-31 09:30",
    ]


def test_a_leap_day_is_an_anniversary_in_leap_years_alone():
    yearly = schedule("year", "anniversary", "2024-02-29T00:00")

    assert [text[:10] for text in local_starts(yearly, 5)] == [
        "2024-02-29",
        "2025-02-28",
        "2026-02-28",
        "2027-02-28",
        "2028-02-29",
    ]


@pytest.mark.parametrize(
    ("unit", "every", "starts"),
    [
        ("day", 1, ["2026-02-11", "2026-02-12"]),
        ("week", 1, ["2026-02-16", "2026-02-23"]),
        ("month", 1, ["2026-03-01", "2026-04-01"]),
        ("month", 6, ["2026-07-01", "2027-01-01"]),
        ("quarter", 1, ["2026-04-01", "2026-07-01"]),
        ("year", 1, ["2027-01-01", "2028-01-01"]),
    ],
)
def test_the_first_calendar_period_is_what_is_left_of_it_when_the_subscription_starts(unit, every, starts):
    calendar = schedule(unit, "calendar", "2026-02-10T15:00", "America/New_York", every=every)

    assert local_starts(calendar, 3) == ["2026-02-10 15:00", *(f"{day} 00:00" for day in starts)]


def test_the_last_period_ends_when_the_subscription_does():
    ended = schedule("month", "calendar", "2026-01-10T00:00", ends_at="2026-02-03T12:00")
    after = datetime(2026, 2, 3, 12, tzinfo=UTC)

    last = ended.period_containing(after - MICROSECOND)

    assert last is not None
    assert (last.number, last.end) == (1, after)
    assert ended.period_containing(after) is None


def test_there_is_no_period_before_the_subscription_starts():
    late = schedule("month", "calendar", "2026-01-10T00:00")

    assert late.period_containing(late.starts_at - MICROSECOND) is None


def test_a_time_that_clocks_skip_is_the_instant_at_which_they_skip_it():
    nightly = schedule("day", "anniversary", "2026-03-07T02:30", "America/New_York")

    assert local_starts(nightly, 3) == ["2026-03-07 02:30", "2026-03-08 03:00", "2026-03-09 02:30"]


def test_a_time_that_clocks_show_twice_is_the_first_of_the_two():
    nightly = schedule("day", "anniversary", "2026-10-31T01:30", "America/New_York")

    second = nightly.boundary(1)

    assert second == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_a_subscription_that_starts_in_the_second_of_two_equal_hours_starts_there():
    tz = zone("America/New_York")
    start = datetime(2026, 11, 1, 1, 30, tzinfo=tz, fold=1).astimezone(UTC)
    nightly = Schedule(BillingPeriod(PeriodUnit.DAY), Anchor.ANNIVERSARY, start, None, tz)

    first = nightly.period_containing(start)

    end = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
    assert first == (0, start, end, Interval(start, end))


def test_a_day_without_midnight_begins_when_its_clocks_begin():
    daily = schedule("day", "calendar", "2017-10-14T00:00", NO_MIDNIGHT)

    assert local_starts(daily, 3) == ["2017-10-14 00:00", "2017-10-15 01:00", "2017-10-16 00:00"]


def test_a_day_that_a_zone_skips_is_no_period():
    daily = schedule("day", "calendar", "2011-12-29T00:00", SKIPPED_A_DAY)

    assert local_starts(daily, 3) == ["2011-12-29 00:00", "2011-12-31 00:00", "2012-01-01 00:00"]


moments = st.datetimes(TEN_YEARS.start.replace(tzinfo=None), TEN_YEARS.end.replace(tzinfo=None), timezones=st.just(UTC))
schedules = st.builds(
    lambda unit, every, anchor, start, name: Schedule(BillingPeriod(unit, every), anchor, start, None, zone(name)),
    st.sampled_from(PeriodUnit),
    st.integers(1, 7),
    st.sampled_from(Anchor),
    moments,
    st.sampled_from(ZONES),
)


@pytest.mark.parametrize("time_zone", ZONES)
@pytest.mark.parametrize("anchor", Anchor)
@pytest.mark.parametrize("unit", PeriodUnit)
def test_ten_years_of_periods_leave_no_gap_and_do_not_overlap(unit, anchor, time_zone):
    ten_years = schedule(unit, anchor, "2008-01-31T02:30", time_zone)

    periods = list(ten_years.periods(TEN_YEARS._replace(start=ten_years.starts_at)))

    assert periods[0].start == ten_years.starts_at
    assert periods[0].number == 0
    assert periods[-1].end >= TEN_YEARS.end
    for earlier, later in pairwise(periods):
        assert earlier.end == later.start
        assert earlier.number < later.number
    assert all(period.start < period.end for period in periods)


@settings(deadline=None)
@given(schedules, moments)
def test_every_instant_of_a_subscription_is_in_one_period(of, moment):
    period = of.period_containing(moment)

    if moment < of.starts_at:
        assert period is None
    else:
        assert period is not None
        assert period.start <= moment < period.end
        assert of.period_containing(period.start) == period
        assert of.period_containing(period.end - MICROSECOND) == period
        following = of.period_containing(period.end)
        assert following is not None
        assert following.start == period.end


@settings(deadline=None)
@given(schedules, st.integers(-200, 200))
def test_boundaries_never_run_backwards(of, number):
    assert of.boundary(number) <= of.boundary(number + 1)


@settings(deadline=None)
@given(schedules.filter(lambda each: each.anchor is Anchor.CALENDAR), moments)
def test_calendar_periods_of_two_teams_in_a_zone_share_their_boundaries(mine, other_start):
    theirs = Schedule(mine.cadence, mine.anchor, other_start, None, mine.zone)
    both_run = max(mine.starts_at, other_start) + timedelta(days=3000)

    found = [schedule.period_containing(both_run) for schedule in (mine, theirs)]

    assert len({period and period.interval for period in found}) == 1
