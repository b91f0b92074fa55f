"""Bands of local time: what a wall clock shows decides, on the days when it is changed, too."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.clock import Interval, parse_instant
from tallystick.pricing import Schedule
from tallystick.pricing.parameters import Parameters
from tallystick.pricing.schedule import Band, Holidays, Hours

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # changed its clocks at midnight
    "America/Havana",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # changes them by half an hour
    "Africa/Casablanca",
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Chatham",
)


def schedule(time_zone, *bands, otherwise="off_peak", holidays=()):
    given = {"time_zone": time_zone, "bands": list(bands), "otherwise": otherwise}
    return Schedule.from_parameters(Parameters(given | ({"holidays": list(holidays)} if holidays else {}), "schedule"))


def windows(of, start, end):
    found = of.windows(Interval(parse_instant(start), parse_instant(end)))
    return [f"{window.start:%d %H:%M} to {window.end:%d %H:%M} {band}" for window, band in found]


NIGHT = {"name": "night", "hours": ["02:00-03:00"]}


def test_a_day_is_cut_where_the_band_changes():
    peak = {"name": "peak", "hours": ["08:00-20:00"], "weekdays": ["mon", "tue", "wed", "thu", "fri"]}

    berlin = schedule("Europe/Berlin", peak)

    # Friday, 5 June 2026; Berlin is two hours ahead
    assert windows(berlin, "2026-06-05T00:00:00Z", "2026-06-06T00:00:00Z") == [
        "05 00:00 to 05 06:00 off_peak",
        "05 06:00 to 05 18:00 peak",
        "05 18:00 to 06 00:00 off_peak",
    ]
    # a weekend is one window
    assert windows(berlin, "2026-06-05T20:00:00Z", "2026-06-08T06:00:00Z") == ["05 20:00 to 08 06:00 off_peak"]


def test_an_hour_that_the_clocks_skip_does_not_exist():
    berlin = schedule("Europe/Berlin", NIGHT)

    assert windows(berlin, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z") == ["28 12:00 to 29 12:00 off_peak"]


def test_an_hour_that_the_clocks_repeat_is_in_its_band_both_times():
    berlin = schedule("Europe/Berlin", NIGHT)

    assert windows(berlin, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z") == [
        "24 22:00 to 25 00:00 off_peak",
        "25 00:00 to 25 02:00 night",
        "25 02:00 to 25 23:00 off_peak",
    ]


def test_a_band_that_the_clocks_enter_twice_has_two_windows():
    first_half = schedule("Europe/Berlin", {"name": "early", "hours": ["02:00-02:30"]})

    assert windows(first_half, "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z") == [
        "25 00:00 to 25 00:30 early",
        "25 00:30 to 25 01:00 off_peak",
        "25 01:00 to 25 01:30 early",
        "25 01:30 to 25 02:00 off_peak",
    ]


def test_a_band_may_begin_where_the_clocks_skip_into_it():
    berlin = schedule("Europe/Berlin", {"name": "early", "hours": ["02:15-04:00"]})

    assert windows(berlin, "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z") == [
        "29 00:00 to 29 01:00 off_peak",
        "29 01:00 to 29 02:00 early",
        "29 02:00 to 29 03:00 off_peak",
    ]


def test_the_first_band_that_fits_applies():
    holiday = {"name": "holiday", "holidays": "only"}
    peak = {"name": "peak", "hours": ["08:00-20:00"], "weekdays": ["fri"], "holidays": "exclude"}
    free_day = schedule("UTC", holiday, peak, holidays=["2026-12-25"])

    # 25 December 2026 is a Friday
    assert windows(free_day, "2026-12-24T12:00:00Z", "2026-12-26T12:00:00Z") == [
        "24 12:00 to 25 00:00 off_peak",
        "25 00:00 to 26 00:00 holiday",
        "26 00:00 to 26 12:00 off_peak",
    ]


def test_a_band_over_midnight_is_two_times_of_one_name():
    night = schedule("UTC", {"name": "night", "hours": ["22:00-24:00", "00:00-06:00"]}, otherwise="day")

    assert windows(night, "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z") == [
        "01 12:00 to 01 22:00 day",
        "01 22:00 to 02 06:00 night",
        "02 06:00 to 02 12:00 day",
    ]


def test_an_interval_without_length_has_no_windows():
    now = parse_instant("2026-01-01T12:00:00Z")

    assert schedule("UTC", NIGHT).windows(Interval(now, now)) == []


minutes = st.integers(0, 24 * 60)
hours = st.tuples(minutes, minutes).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: Hours(*pair))
bands = st.builds(
    Band,
    st.sampled_from(["peak", "night", "weekend"]),
    st.lists(hours, max_size=3).map(lambda each: tuple(sorted(set(each)))),
    st.frozensets(st.integers(0, 6), max_size=4),
    st.sampled_from(Holidays),
)
instants = st.integers(1_230_000_000, 1_860_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)  # 2009 to 2028
changes = st.sampled_from(
    [
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2018-11-04T03:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
        "2011-12-30T10:00:00Z",
        "2026-02-15T02:00:00Z",
    ]
).map(parse_instant)
near_changes = st.builds(datetime.__add__, changes, st.timedeltas(-timedelta(days=1), timedelta(days=1)))
intervals = st.builds(
    lambda start, length: Interval(start, start + length),
    instants | near_changes,
    st.timedeltas(timedelta(0), timedelta(days=40)),
)


@st.composite
def schedules(draw):
    each = tuple(draw(st.lists(bands, min_size=1, max_size=3)))
    return Schedule(
        draw(st.sampled_from(ZONES)), each, "otherwise", draw(st.frozensets(near_changes.map(datetime.date)))
    )


@given(schedules(), intervals)
def test_windows_are_the_interval_without_gap_or_overlap(of, interval):
    found = of.windows(interval)

    bounds = [window.start for window, _ in found] + [window.end for window, _ in found][-1:]
    assert bounds == sorted(set(bounds))
    assert all(before.end == after.start for (before, _), (after, _) in pairwise(found))
    assert all(before != after for (_, before), (_, after) in pairwise(found))
    if interval.start < interval.end:
        assert (bounds[0], bounds[-1]) == interval


@given(schedules(), intervals, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=8))
def test_every_instant_of_a_window_is_in_its_band(of, interval, somewhere):
    for window, band in of.windows(interval):
        length = window.end - window.start
        inside = [window.start, window.end - timedelta(microseconds=1), *(window.start + length * f for f in somewhere)]
        assert {of.band_at(min(moment, window.end - timedelta(microseconds=1))) for moment in inside} == {band}


@given(schedules(), near_changes)
def test_windows_hold_what_a_clock_shows_minute_by_minute(of, start):
    start = start.replace(second=0, microsecond=0)
    interval = Interval(start, start + timedelta(hours=30))
    shown = [of.band_at(start + timedelta(minutes=minute)) for minute in range(30 * 60)]

    told = [
        band
        for window, band in of.windows(interval)
        for _ in range((window.end - window.start) // timedelta(minutes=1))
    ]

    assert told == shown


@given(schedules())
def test_a_schedule_survives_being_written(of):
    again = Schedule.from_parameters(Parameters(of.to_parameters(), "schedule"))

    assert again == of
    assert hash(again) == hash(of)


@pytest.mark.parametrize("text", ["2026-06-05T12:00:00+02:00", "2026-06-05T10:00:00Z"])
def test_the_zone_in_which_an_instant_is_written_plays_no_part(text):
    peak = schedule("Europe/Berlin", {"name": "peak", "hours": ["12:00-13:00"]})

    assert peak.band_at(datetime.fromisoformat(text)) == "peak"
