"""Which windows usage is booked in, and when what is booked of one is stamped. Pure.

Usage that adds up is booked per hour of UTC, cut where a billing period ends inside the hour: then each part has a
timestamp of its own period. Usage that does not add up (a maximum, a number of different users) is booked for the whole
period, as it stands: what Stripe adds up is then what the period's usage is at last.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.meters.models import OLDEST, Window

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour of UTC that holds the instant."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hours(span: Interval, periods: Sequence[Interval]) -> list[Window]:
    """The hours of a span, cut at its ends and at the edges of periods; they follow each other without a gap."""
    edges = {edge for period in periods for edge in period if span.start < edge < span.end}
    cuts = sorted({span.start, span.end, *edges, *_full_hours(span)})
    pieces = [Interval(a, b) for a, b in pairwise(cuts)]
    return [Window(each.start, each.end, each, _period_end(each, periods)) for each in pieces]


def whole_periods(span: Interval, periods: Sequence[Interval], since: datetime) -> list[Window]:
    """The billing periods that the span has a part of, each with its last closed hour in the span as a stamp.

    One that began before `since` begins there.
    """
    touching = [Interval(max(a, since), b) for a, b in periods if a < span.end and b > span.start]
    return [Window(each.start, each.end, _last_hour(each, span.end), each.end) for each in touching]


def closed_until(now: datetime, lateness: timedelta, periods: Sequence[Interval]) -> datetime:
    """Up to where windows are over for long enough: the last full hour, or the edge of a period after it."""
    settled = now - lateness
    edges = [edge for period in periods for edge in period if edge <= settled]
    return max([hour_of(settled), *edges])


def stamp(within: Interval, seq: int) -> datetime:
    """The instant for a window's delta of this number: a full second in the window, each in a minute of its own.

    So a look at one minute tells whether a delta arrived. Where the window has fewer minutes they are used again, and
    where it has no full second it is the one before.
    """
    first = _up_to(within.start, MINUTE)
    minutes = max(int((within.end - first) / MINUTE), 0)
    if minutes:
        return first + (seq - 1) % minutes * MINUTE
    second = _up_to(within.start, SECOND)
    return second if second < within.end else second - SECOND


def minute_of(moment: datetime) -> Interval:
    """The minute that holds the instant, which is the least that Stripe's summaries tell apart."""
    start = moment.replace(second=0, microsecond=0)
    return Interval(start, start + MINUTE)


def deadline(stamped_at: datetime, period_end: datetime | None, grace: timedelta) -> datetime:
    """The instant from which on it is late to send what is stamped so.

    Args:
        stamped_at: the timestamp: Stripe takes none that is too old.
        period_end: of the billing period: its invoice is final after a grace.
        grace: how long after the period's end usage may still be sent; a margin is off already.
    """
    oldest = stamped_at + OLDEST
    return oldest if period_end is None else min(oldest, period_end + grace)


def _full_hours(span: Interval) -> Iterator[datetime]:
    hour = hour_of(span.start) + HOUR
    while hour < span.end:
        yield hour
        hour += HOUR


def _period_end(piece: Interval, periods: Iterable[Interval]) -> datetime | None:
    return next((each.end for each in periods if each.start <= piece.start < each.end), None)


def _last_hour(period: Interval, until: datetime) -> Interval:
    end = min(period.end, until)
    return Interval(max(period.start, hour_of(end - timedelta.resolution)), end)


def _up_to(moment: datetime, step: timedelta) -> datetime:
    """The first multiple of the step that is not before the instant."""
    start = moment.replace(second=0, microsecond=0) if step is MINUTE else moment.replace(microsecond=0)
    return start if start == moment else start + step
