"""Machines at work: how many ran at once, how well they were used, and what that suggests.

A row that has a duration and names a machine is a job: it ran for so long from its time on, or up to it where the time
is called an end. Jobs are spread over the hours that they touch, so `level` is machine-hours per hour, which is how
many ran on average in that hour.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tallystick.core.money import EXACT, ZERO
from tallystick.importing.analysis.fields import number_of
from tallystick.importing.analysis.models import FieldReport, ResourceUse
from tallystick.importing.analysis.roles import leaf
from tallystick.importing.instants import instant_reader
from tallystick.importing.records import BadValue

RESOURCES = (
    "instance_type instance machine_type machine gpu_type gpu resource_type resource sku node_type flavor".split()
)
PURCHASES = "purchase purchase_option lifecycle market pricing capacity_type spot preemptible".split()
ENDS = ("ended_at", "end", "finished_at", "end_time", "completed_at", "stopped_at")
MOST_RESOURCES = 20
LONGEST_JOB = 366 * 24
SHORT_JOB = Decimal(3600)
HOUR = 3600

_SECONDS = {
    **dict.fromkeys(("seconds", "secs", "s"), Decimal(1)),
    "ms": Decimal("0.001"),
    **dict.fromkeys(("minutes", "mins"), Decimal(60)),
    **dict.fromkeys(("hours", "hrs"), Decimal(3600)),
}
_DURATION = re.compile(r"(?:^|_)(seconds|secs|ms|minutes|mins|hours|hrs)$|^(?:duration|runtime|elapsed)(?:_(s))?$")
_USED = re.compile(r"util|(cpu|gpu|memory)_(percent|pct|load|usage)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STEADY_SHARE = 9, 10
"""A machine is steady that ran in so many of so many hours: then a commitment to it pays."""

LOW_USE = Decimal("0.4")
HIGH_PEAK = 3


class Machines:
    """Adds up the jobs of one file."""

    def __init__(
        self, duration: str, resource: str, time: str, time_format: str, fields: Sequence[FieldReport]
    ) -> None:
        self._duration, self._resource, self._time = duration, resource, time
        self._read = instant_reader(time_format, "UTC")
        self._seconds_per = seconds_per(duration) or Decimal(1)
        self._at_end = leaf(time) in ENDS
        self._used = next((f.name for f in fields if f.numbers and _USED.search(leaf(f.name))), None)
        self._purchase = next((f.name for f in fields if leaf(f.name) in PURCHASES), None)
        self._levels: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        self._weighted: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
        self._highest_use = ZERO
        self._on_demand = self._short = ZERO

    def add(self, values: Mapping[str, Any]) -> None:
        """Add a row, by path, if it is a job."""
        seconds, machine = number_of(values.get(self._duration)), values.get(self._resource)
        if seconds is None or seconds <= 0 or machine is None:
            return
        name = str(machine)
        if name not in self._levels and len(self._levels) >= MOST_RESOURCES:
            return
        try:
            moment = self._read(values.get(self._time, ""))
        except BadValue:
            return
        self._spread(name, moment, EXACT.multiply(seconds, self._seconds_per))
        self._weigh(name, values, EXACT.multiply(seconds, self._seconds_per))

    def uses(self) -> list[ResourceUse]:
        """Every machine, the most used first."""
        hours = self._span()
        uses = [self._use(name, levels, hours) for name, levels in self._levels.items()]
        return sorted(uses, key=lambda use: (-use.hours, use.name))

    def advice(self) -> Iterator[str]:
        """What the numbers suggest."""
        for use in self.uses():
            yield from _advice(use)
        if self._on_demand and (share := EXACT.divide(self._short, self._on_demand)) >= Decimal("0.1"):
            yield (
                f"{share:.0%} of the on-demand time is jobs of less than an hour, which lose little when they are "
                "interrupted: they could run on spot capacity"
            )

    def _spread(self, name: str, moment: datetime, seconds: Decimal) -> None:
        start = Decimal(int((moment - _EPOCH) / timedelta(microseconds=1))).scaleb(-6)
        start = EXACT.subtract(start, seconds) if self._at_end else start
        end = EXACT.add(start, min(seconds, Decimal(LONGEST_JOB * HOUR)))
        levels = self._levels[name]
        hour = int(start // HOUR)
        while (begin := Decimal(hour * HOUR)) < end:
            part = EXACT.subtract(min(end, begin + HOUR), max(start, begin))
            levels[hour] = EXACT.add(levels[hour], part)
            hour += 1

    def _weigh(self, name: str, found: Mapping[str, Any], seconds: Decimal) -> None:
        used = number_of(found.get(self._used)) if self._used else None
        if used is not None:
            total, weight = self._weighted[name]
            self._weighted[name] = EXACT.add(total, EXACT.multiply(used, seconds)), EXACT.add(weight, seconds)
            self._highest_use = max(self._highest_use, used)
        if self._purchase and str(found.get(self._purchase, "")).lower().replace("_", "-") in ("on-demand", "ondemand"):
            self._on_demand = EXACT.add(self._on_demand, seconds)
            self._short = EXACT.add(self._short, seconds if seconds < SHORT_JOB else ZERO)

    def _span(self) -> range:
        touched = [hour for levels in self._levels.values() for hour in levels]
        return range(min(touched), max(touched) + 1) if touched else range(0)

    def _use(self, name: str, levels: Mapping[int, Decimal], hours: range) -> ResourceUse:
        total = _sum(levels.values())
        silent = [ZERO] * (len(hours) - len(levels))
        ranked = sorted([*levels.values(), *silent])
        rank = len(ranked) * (STEADY_SHARE[1] - STEADY_SHARE[0]) // STEADY_SHARE[1]
        per_hour = [EXACT.divide(value, Decimal(HOUR)) for value in (ranked[rank], ranked[-1], total)]
        mean = EXACT.divide(per_hour[2], Decimal(len(ranked)))
        return ResourceUse(name, per_hour[2], per_hour[0], mean, per_hour[1], self._utilisation(name))

    def _utilisation(self, name: str) -> Decimal | None:
        total, weight = self._weighted[name]
        if not weight:
            return None
        whole = Decimal(1) if self._highest_use <= 1 else Decimal(100)
        return EXACT.divide(total, EXACT.multiply(weight, whole))


def machines(fields: Sequence[FieldReport], time: str | None, time_format: str) -> Machines | None:
    """What adds up the jobs; None: the rows don't look like jobs of machines."""
    duration = next((f.name for f in fields if f.numbers and seconds_per(f.name)), None)
    resource = next((f.name for name in RESOURCES for f in fields if leaf(f.name) == name), None)
    if duration is None or resource is None or time is None:
        return None
    return Machines(duration, resource, time, time_format, fields)


def seconds_per(name: str) -> Decimal | None:
    """How many seconds one of this field is, by its name; None: it is no duration."""
    match = _DURATION.search(leaf(name))
    return _SECONDS[match[1] or match[2] or "seconds"] if match else None


def _advice(use: ResourceUse) -> Iterator[str]:
    steady = use.steady.to_integral_value(ROUND_FLOOR)
    if steady >= 1:
        yield (
            f"{use.name}: {steady} or more ran in nine of ten hours: a commitment to {steady} would be used, and "
            f"only what exceeds it (up to {use.peak:.1f}) needs to be on demand or spot"
        )
    if use.utilisation is not None and use.utilisation < LOW_USE:
        yield f"{use.name}: {use.utilisation:.0%} of it was used on average: a smaller one would do most of its work"
    if steady < 1 and use.mean and EXACT.divide(use.peak, use.mean) >= HIGH_PEAK:
        yield (
            f"{use.name}: the busiest hour ran {EXACT.divide(use.peak, use.mean):.0f} times the mean: work that can "
            "wait would be cheaper spread out, and an off-peak price would move it"
        )


def _sum(numbers: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, number)
    return total
