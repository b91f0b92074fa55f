"""Laws of billing periods: for every anchor, cadence and zone over ten years, cut by a subscription or not."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing.periods import Schedule
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval, zone

ZONES = (
    "Africa/Casablanca",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "UTC",
)
DAY = timedelta(days=1)
FIRST, LAST = datetime(2008, 1, 1), datetime(2018, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone

moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
zones = st.sampled_from(ZONES).map(zone)
cadences = st.builds(BillingPeriod, st.sampled_from(PeriodUnit), st.integers(1, 7))
anchors = st.sampled_from(Anchor)
lengths = st.none() | st.timedeltas(DAY / 24, 900 * DAY)


@st.composite
def schedules(draw):
    """A subscription of any length, whose anniversaries may be those of one before it."""
    start, length = draw(moments), draw(lengths)
    anchored = start - draw(st.timedeltas(timedelta(0), 900 * DAY)) if draw(st.booleans()) else None
    ends = start + length if length else None
    return Schedule(draw(cadences), draw(anchors), start, ends, draw(zones), anchored)


def ten_years(of):
    return of.periods(Interval(of.starts_at, of.starts_at + 3653 * DAY))


@settings(deadline=None, max_examples=300)
@given(schedules())
def test_a_period_ends_where_the_next_one_starts(of):
    periods = list(islice(ten_years(of), 400))

    assert periods[0].start == of.starts_at
    assert all(period.start < period.end for period in periods)
    assert all(earlier.end == later.start for earlier, later in pairwise(periods))
    assert all(earlier.number < later.number for earlier, later in pairwise(periods))
    if of.ends_at is not None and len(periods) < 400:
        assert periods[-1].end == of.ends_at


@settings(deadline=None, max_examples=300)
@given(schedules())
def test_only_the_first_and_the_last_period_are_cut_from_a_full_one(of):
    periods = list(islice(ten_years(of), 200))

    assert all(each.full.start <= each.start < each.end <= each.full.end for each in periods)
    assert all(each.interval == each.full for each in periods[1:-1])
    if of.anchored_at is None and of.anchor is Anchor.ANNIVERSARY:
        assert periods[0].start == periods[0].full.start


@settings(deadline=None, max_examples=300)
@given(schedules(), moments)
def test_a_subscription_that_takes_over_goes_on_with_the_boundaries_of_the_one_before(of, at):
    whole = Schedule(of.cadence, of.anchor, of.starts_at, None, of.zone, of.anchored_at)
    at = max(at, of.starts_at + DAY)
    after = Schedule(of.cadence, of.anchor, at, None, of.zone, of.anchored_at or of.starts_at)

    [first, second] = islice(ten_years(after), 2)
    before = whole.period_containing(at)

    assert before is not None
    assert (first.start, first.end, first.full) == (at, before.end, before.full)
    usual = whole.period_containing(second.start)
    assert usual is not None
    assert second == usual._replace(number=second.number)


@settings(deadline=None, max_examples=300)
@given(schedules(), zones, st.integers(1, 30))
def test_a_team_that_changes_its_zone_is_billed_for_every_instant_once(of, other, closed):
    before = list(islice(ten_years(of), closed))
    billed = before[-1].end
    moved = Schedule(of.cadence, of.anchor, of.starts_at, of.ends_at, other, of.anchored_at, billed)

    following = list(islice(moved.periods(Interval(billed, billed + 3653 * DAY)), 30))

    if of.ends_at is not None and billed >= of.ends_at:
        assert following == []
        return
    assert following[0].start == billed
    assert all(earlier.end == later.start for earlier, later in pairwise(following))
    same = Schedule(of.cadence, of.anchor, of.starts_at, of.ends_at, other, of.anchored_at)
    if len(following) > 2:  # the next period alone is longer or shorter by the hours between the zones
        usual = same.period_containing(following[2].start)
        assert usual is not None
        assert usual.interval == following[2].interval


@settings(deadline=None, max_examples=200)
@given(schedules(), zones, st.integers(1, 30), moments)
def test_the_periods_before_and_after_a_change_of_zone_still_hold_every_instant_once(of, other, closed, moment):
    billed = list(islice(ten_years(of), closed))[-1].end
    moved = Schedule(of.cadence, of.anchor, of.starts_at, of.ends_at, other, of.anchored_at, billed)

    period = moved.period_containing(moment)

    assert (period is None) == (of.period_containing(moment) is None)
    if period is not None:
        assert period.start <= moment < period.end
        assert period.end <= billed or billed <= period.start
        assert moved.period_containing(period.start) == period
        assert moved.period_containing(period.end - datetime.resolution) == period
