"""What an analysis found. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.importing.models import Format


class Numbers(NamedTuple):
    """The numbers of a field, exactly.

    Attributes:
        rows: how many rows have one.
        lowest: the smallest.
        highest: the largest.
        total: all added up.
        decimals: the most decimals that one has.
        falls: how often one is below the one of the row before; 0 of many is what a counter looks like that is read
            from time to time.
    """

    rows: int
    lowest: Decimal
    highest: Decimal
    total: Decimal
    decimals: int
    falls: int


class FieldReport(NamedTuple):
    """One field of the rows; `a.b` is the member `b` of `a`.

    Attributes:
        name: the column or path.
        present: how many rows have a value there.
        kinds: what the values are (number, text, time, boolean, list), most frequent first.
        distinct: how many different values there are.
        exact: whether `distinct` is exact; else it is an estimate, good to about 2 %.
        top: the most frequent values and their rows, among the first values that were seen.
        numbers: the numbers among them, if there are any.
    """

    name: str
    present: int
    kinds: Sequence[str]
    distinct: int
    exact: bool
    top: Sequence[tuple[str, int]]
    numbers: Numbers | None


class Kind(NamedTuple):
    """One kind of event.

    Attributes:
        name: what the event column says; empty where the file has one kind alone.
        rows: how many there are.
        numeric: how many of these rows have a number, by field.
    """

    name: str
    rows: int
    numeric: dict[str, int]


class Gap(NamedTuple):
    """Nothing happened in `[start, end)`, to the precision of the timeline."""

    start: datetime
    end: datetime


class Peak(NamedTuple):
    """The busiest stretch of this length."""

    length: timedelta
    start: datetime
    rows: int


@dataclass(frozen=True, slots=True)
class Times:
    """When things happened.

    Attributes:
        first: the earliest instant.
        last: the latest.
        precision: how finely gaps and peaks are told.
        in_order: whether no row is earlier than the one before it.
        gaps: the longest stretches in which nothing happened, longest first.
        peaks: the busiest minute, hour and day, as far as the precision allows.
    """

    first: datetime
    last: datetime
    precision: timedelta
    in_order: bool
    gaps: Sequence[Gap]
    peaks: Sequence[Peak]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which field is likely to be what; None: none looks like it.

    Attributes:
        team: who is billed.
        time: when it happened.
        time_format: how the time is written, as `tallystick import --timestamp-format` takes it.
        event: what happened.
        key: what no two rows share.
        user: who did it.
        quantities: numbers that could be charged for, most likely first.
        dimensions: fields with few values, by which usage can be told apart.
    """

    team: str | None = None
    time: str | None = None
    time_format: str = "auto"
    event: str | None = None
    key: str | None = None
    user: str | None = None
    quantities: Sequence[str] = ()
    dimensions: Sequence[str] = ()


class ResourceUse(NamedTuple):
    """How much of one kind of machine ran, hour by hour.

    Attributes:
        name: the machine, such as an instance type.
        hours: machine-hours in all.
        steady: how many ran in at least nine of ten hours.
        mean: how many ran on average.
        peak: how many ran in the busiest hour, on average over it.
        utilisation: the mean share of it that was used, weighted by time, from 0 to 1; None: nothing says.
    """

    name: str
    hours: Decimal
    steady: Decimal
    mean: Decimal
    peak: Decimal
    utilisation: Decimal | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is in a usage file.

    Attributes:
        name: the file.
        format: its layout.
        rows: how many rows could be read.
        malformed: how many could not.
        problems: the first of them, each with its line.
        fields: by name, in the order in which they were first seen.
        more_fields: whether there are more than were looked at.
        kinds: of events, most frequent first.
        times: when; None: no field says.
        roles: which field is what.
        teams: rows by team, most first, as far as they were kept apart.
        resources: machines, if the rows look like work done by machines.
        advice: what the numbers suggest, a sentence each.
    """

    name: str
    format: Format
    rows: int
    malformed: int
    problems: Sequence[str]
    fields: Sequence[FieldReport]
    more_fields: bool
    kinds: Sequence[Kind]
    times: Times | None
    roles: Roles
    teams: Sequence[tuple[str, int]]
    resources: Sequence[ResourceUse] = ()
    advice: Sequence[str] = field(default=())

    def field(self, name: str) -> FieldReport | None:
        """The field of that name."""
        return next((each for each in self.fields if each.name == name), None)
