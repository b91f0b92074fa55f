"""What has to be booked so that what was booked of each window is its usage. Pure.

    booked:  09:00–10:00  12      usage:  09:00–10:00  15      deltas:  09:00–10:00  +3
             10:00–11:00   4              10:00–10:17   3               10:00–11:00  −4
                                          10:17–11:00   1               10:00–10:17  +3,  10:17–11:00  +1

What is taken back comes first, so that Stripe never has more than the ledger had.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.core.clock import Interval
from tallystick.core.money import EXACT, ZERO
from tallystick.integrations.stripe.meters.models import Booked, Kind, NewDelta, State, Window
from tallystick.integrations.stripe.meters.values import parts
from tallystick.integrations.stripe.meters.windows import deadline, stamp

USED = "usage"
CHANGED = "correction"
RECUT = "the period's edges moved"


class _Difference(NamedTuple):
    window: Window
    quantity: Decimal
    seq: int
    cause: str


def deltas(
    usage: Mapping[Window, Decimal], booked: Sequence[Booked], *, now: datetime, grace: timedelta
) -> list[NewDelta]:
    """The deltas between usage and books, those that take back first.

    Args:
        usage: of each window that is looked at.
        booked: of windows in the same span, also such as are windows no more.
        now: what can't be sent any more is late at once.
        grace: see `windows.deadline`.
    """
    books = {each.window: each for each in booked}
    found = [*_of_windows(usage, books), *_recut(usage, booked)]
    made = [_new(each, now, grace) for each in found]
    return sorted(made, key=lambda each: each.quantity > 0)


def _of_windows(usage: Mapping[Window, Decimal], books: Mapping[Interval, Booked]) -> Iterator[_Difference]:
    for window, quantity in usage.items():
        before = books.get(window.interval)
        difference = EXACT.subtract(quantity, before.quantity if before else ZERO)
        yield from _numbered(window, difference, before.last_seq if before else 0, CHANGED if before else USED)


def _recut(usage: Mapping[Window, Decimal], booked: Iterable[Booked]) -> Iterator[_Difference]:
    """What was booked of windows that are cut otherwise now is taken back."""
    current = {window.interval: window for window in usage}
    for each in booked:
        if each.window not in current and each.quantity:
            end = next((w.period_end for w in usage if w.start <= each.window.start < w.end), None)
            window = Window(each.window.start, each.window.end, each.window, end)
            yield from _numbered(window, EXACT.minus(each.quantity), each.last_seq, RECUT)


def _numbered(window: Window, difference: Decimal, last: int, cause: str) -> Iterator[_Difference]:
    for seq, part in enumerate(parts(difference), last + 1):
        yield _Difference(window, part, seq, cause)


def _new(found: _Difference, now: datetime, grace: timedelta) -> NewDelta:
    stamped_at = stamp(found.window.stamp, found.seq)
    until = deadline(stamped_at, found.window.period_end, grace)
    return NewDelta(
        kind=Kind.USAGE,
        window=found.window.interval,
        seq=found.seq,
        quantity=found.quantity,
        stamped_at=stamped_at,
        deadline=until,
        cause=found.cause,
        state=State.LATE if now >= until else State.PENDING,
    )
