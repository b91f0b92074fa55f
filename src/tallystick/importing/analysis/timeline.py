"""Counts rows by the minute, and finds out when nothing happened and when the most did.

Memory is bounded: when there are too many minutes, they are added up to hours, and those to days.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tallystick.importing.analysis.models import Gap, Peak, Times

MOST_BUCKETS = 50_000
MOST_GAPS = 5
SHORTEST_GAP = 3
"""Buckets without a row that make a gap: fewer are a coincidence."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEPS = (60, 3600, 86_400)


class Timeline:
    """When rows happened."""

    def __init__(self) -> None:
        self._step = _STEPS[0]
        self._counts: Counter[int] = Counter()
        self._first: datetime | None = None
        self._last = self._before = _EPOCH
        self._in_order = True

    def add(self, moment: datetime) -> None:
        """Count a row."""
        if self._first is None:
            self._first = self._last = self._before = moment
        self._in_order = self._in_order and moment >= self._before
        self._before = moment
        self._first, self._last = min(self._first, moment), max(self._last, moment)
        self._counts[int((moment - _EPOCH).total_seconds()) // self._step] += 1
        if len(self._counts) > MOST_BUCKETS and self._step != _STEPS[-1]:
            self._coarsen()

    @property
    def times(self) -> Times | None:
        """What was found; None: there was no row."""
        if self._first is None:
            return None
        precision = timedelta(seconds=self._step)
        return Times(self._first, self._last, precision, self._in_order, self._gaps(), self._peaks())

    def _coarsen(self) -> None:
        wider = _STEPS[_STEPS.index(self._step) + 1]
        self._counts = _summed(self._counts, wider // self._step)
        self._step = wider

    def _gaps(self) -> list[Gap]:
        """The longest stretches without a row: by the hour if the file is longer than two days."""
        step, counts = self._step, self._counts
        span = self._last - (self._first or self._last)
        if step < 3600 and span > timedelta(days=2):
            step, counts = 3600, _summed(counts, 3600 // step)
        silent = [(a, b) for a, b in pairwise(sorted(counts)) if b - a > SHORTEST_GAP]
        longest = sorted(silent, key=lambda pair: pair[0] - pair[1])[:MOST_GAPS]
        return [Gap(_moment((a + 1) * step), _moment(b * step)) for a, b in longest]

    def _peaks(self) -> list[Peak]:
        return [self._peak(step) for step in _STEPS if step >= self._step]

    def _peak(self, step: int) -> Peak:
        counts = _summed(self._counts, step // self._step)
        rows = max(counts.values())
        bucket = min(each for each, count in counts.items() if count == rows)
        return Peak(timedelta(seconds=step), _moment(bucket * step), rows)


def _summed(counts: Counter[int], size: int) -> Counter[int]:
    wider: Counter[int] = Counter()
    for bucket, rows in counts.items():
        wider[bucket // size] += rows
    return wider


def _moment(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=seconds)
