"""For which stretches of a period nothing is charged: trials and pauses."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing.teams.models import Pause, Status, Subscription
from tallystick.catalog.models import Anchor, BillingPeriod
from tallystick.core.clock import Interval

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def day(number):
    return None if number is None else BEGINNING + timedelta(days=number)


def subscription(starts=0, ends=None, trial=None, pauses=()):
    paused = tuple(Pause(day(a), day(b)) for a, b in pauses)
    start = day(starts)
    return Subscription(
        1, "acme", "growth@2", "USD", BillingPeriod(), Anchor.CALENDAR, start, day(ends), start,
        trial_ends_at=day(trial), pauses=paused,
    )  # fmt: skip


def stretches(of, start=10, end=20):
    found = of.uncharged(Interval(day(start), day(end)))
    return [((a - BEGINNING).days, (b - BEGINNING).days, reason) for (a, b), reason in found]


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        ({}, []),
        ({"trial": 10}, []),
        ({"trial": 14}, [(10, 14, "trial")]),
        ({"trial": 40}, [(10, 20, "trial")]),
        ({"starts": 12, "trial": 14}, [(12, 14, "trial")]),
        ({"ends": 15, "trial": 40}, [(10, 15, "trial")]),
        ({"pauses": [(5, 12), (14, 16), (18, None)]}, [(10, 12, "paused"), (14, 16, "paused"), (18, 20, "paused")]),
        ({"pauses": [(1, 10), (20, 30)]}, []),
        ({"trial": 14, "pauses": [(12, 16)]}, [(10, 14, "trial"), (14, 16, "paused")]),
        ({"trial": 14, "pauses": [(11, 12)]}, [(10, 14, "trial")]),
        ({"ends": 10, "pauses": [(5, None)]}, []),
    ],
)
def test_nothing_is_charged_in_a_trial_and_in_pauses(held, expected):
    assert stretches(subscription(**held)) == expected


numbers = st.integers(0, 60)


@st.composite
def pauses(draw):
    bounds = sorted(draw(st.sets(numbers, max_size=8)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    return [*pairs, (61, None)] if draw(st.booleans()) else pairs


@settings(deadline=None)
@given(numbers, st.none() | numbers, st.none() | numbers, pauses(), numbers, st.integers(1, 40))
def test_stretches_are_in_order_and_hold_exactly_the_days_of_trial_and_pauses(starts, ends, trial, paused, at, length):
    of = subscription(starts, ends, trial, paused)
    found = stretches(of, at, at + length)

    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert all(start < end for start, end, _ in found)
    free = {day: reason for start, end, reason in found for day in range(start, end)}
    for number in range(at, at + length):
        running = number >= starts and (ends is None or number < ends)
        tried = running and trial is not None and number < trial
        held = running and any(a <= number and (b is None or number < b) for a, b in paused)
        assert free.get(number) == ("trial" if tried else "paused" if held else None)


def test_the_status_says_how_a_subscription_stands():
    of = subscription(10, 40, trial=15, pauses=[(12, 13), (20, 25)])

    found = [of.status(day(number)) for number in (9, 10, 12, 14, 15, 22, 39, 40)]

    assert found == [
        Status.UPCOMING, Status.TRIAL, Status.PAUSED, Status.TRIAL, Status.ACTIVE, Status.PAUSED, Status.ACTIVE,
        Status.ENDED,
    ]  # fmt: skip


def test_a_subscription_knows_the_version_of_its_plan():
    assert (subscription().family, subscription().plan_version) == ("growth", 2)
