"""Reads a file once and finds out what is in it.

The first rows are kept, because they decide which field says when things happened and what; then everything is counted
as it comes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from os import PathLike, fspath

from tallystick.core.errors import InvalidInput
from tallystick.importing.analysis import compute, roles
from tallystick.importing.analysis.fields import Fields, flat
from tallystick.importing.analysis.models import Analysis, FieldReport, Kind
from tallystick.importing.analysis.timeline import Timeline
from tallystick.importing.formats import detect
from tallystick.importing.instants import instant_reader
from tallystick.importing.models import Format, ImportOptions
from tallystick.importing.records import BadValue, Reader, Record
from tallystick.importing.source import open_reader
from tallystick.importing.stream import ByteStream, Damaged
from tallystick.importing.values import lookup

FIRST_ROWS = 2000
MOST_PROBLEMS = 5
MOST_TEAMS = 10_000
MOST_KINDS = 1000


def analyze(path: str | PathLike[str], options: ImportOptions | None = None) -> Analysis:
    """What is in the file (`-` is standard input).

    Args:
        path: NDJSON, CSV, Parquet or an access log, gzipped or not.
        options: its layout (`format`, `columns`, `delimiter`), and, where the guesses are wrong, `team_column`,
            `timestamp_column`, `timestamp_format`, `event_column`.

    Raises:
        InvalidInput: it can't be read, its layout can't be told, or nothing in it can be read.
    """
    options, name = options or ImportOptions(), fspath(path)
    with ExitStack() as files:
        try:
            stream = ByteStream(name)
            files.callback(stream.close)
            layout = detect(stream) if options.format is Format.AUTO else options.format
            return _Analyst(name, layout, open_reader(layout, stream, options), options).analysis()
        except Damaged as damage:
            raise InvalidInput(f"{name}: {damage}", field="file") from None


class _Analyst:
    def __init__(self, name: str, layout: Format, reader: Reader, options: ImportOptions) -> None:
        self._name, self._layout, self._options = name, layout, options
        self._reader = reader
        self._records = reader.records()
        self._fields = Fields(reader)
        self._rows = self._malformed = 0
        self._problems: list[str] = []
        self._timeline = Timeline()
        self._kinds: dict[str, tuple[Counter[str], Counter[str]]] = {}
        self._teams: Counter[str] = Counter()

    def analysis(self) -> Analysis:
        first = list(islice(self._records, FIRST_ROWS))
        self._decide(first)
        for record in chain(first, self._records):
            self._add(record)
        if not self._rows:
            problem = f": {self._problems[0]}" if self._problems else ""
            raise InvalidInput(f"{self._name}: no row of it can be read{problem}", field="file")
        return self._found()

    def _decide(self, first: Sequence[Record]) -> None:
        """Settle by the first rows which fields say when, what and whose."""
        sample = Fields(self._reader)
        good = [record for record in first if not record.problem]
        for record in good:
            sample.add(dict(flat(record.values)))
        fields = [counts.report for counts in sample.counts.values()]
        self._time, self._time_format = self._time_of(fields, good)
        self._read_time = instant_reader(self._time_format, self._options.timestamp_zone)
        self._event = self._options.event_column or roles.guess_event(fields)
        guessed = roles.guess(fields, len(good), self._time, self._time_format, self._event)
        self._team = self._options.team_column or guessed.team
        self._machines = compute.machines(fields, self._time, self._time_format)

    def _time_of(self, fields: Sequence[FieldReport], first: Sequence[Record]) -> tuple[str | None, str]:
        if (column := self._options.timestamp_column) is not None:
            return column, self._options.timestamp_format

        def values(name: str) -> Iterator[object]:
            find = lookup(name, "." not in name)
            return (value for record in first if (value := find(record.values)) not in (None, ""))

        return roles.guess_time(fields, values)

    def _add(self, record: Record) -> None:
        if record.problem:
            self._malformed += 1
            if len(self._problems) < MOST_PROBLEMS:
                self._problems.append(f"row {record.position} {record.problem.message}")
            return
        self._rows += 1
        values = dict(flat(record.values))
        numeric = self._fields.add(values)
        self._count_kind(str(values.get(self._event, "")) if self._event else "", numeric)
        if self._team in values and (len(self._teams) < MOST_TEAMS or str(values[self._team]) in self._teams):
            self._teams[str(values[self._team])] += 1
        if self._time is not None:
            self._count_time(values.get(self._time))
        if self._machines:
            self._machines.add(values)

    def _count_kind(self, name: str, numeric: Sequence[str]) -> None:
        if name not in self._kinds and len(self._kinds) >= MOST_KINDS:
            return
        rows, fields = self._kinds.setdefault(name, (Counter(), Counter()))
        rows[name] += 1
        fields.update(numeric)

    def _count_time(self, value: object) -> None:
        if value is None:
            return
        try:
            self._timeline.add(self._read_time(value))
        except BadValue:
            return

    def _found(self) -> Analysis:
        fields = [counts.report for counts in self._fields.counts.values()]
        guessed = roles.guess(fields, self._rows, self._time, self._time_format, self._event)
        kinds = [Kind(name, rows[name], dict(numeric)) for name, (rows, numeric) in self._kinds.items()]
        resources = self._machines.uses() if self._machines else []
        return Analysis(
            name=self._name,
            format=self._layout,
            rows=self._rows,
            malformed=self._malformed,
            problems=self._problems,
            fields=fields,
            more_fields=self._fields.more,
            kinds=sorted(kinds, key=lambda kind: (-kind.rows, kind.name)),
            times=self._timeline.times,
            roles=replace(guessed, team=self._team),
            teams=self._teams.most_common(),
            resources=resources,
            advice=[*(self._machines.advice() if self._machines else ()), *_remarks(fields, guessed.quantities)],
        )


def _remarks(fields: Sequence[FieldReport], quantities: Sequence[str]) -> Iterator[str]:
    for field in fields:
        numbers = field.numbers
        if field.name in quantities and numbers and numbers.rows >= 20 and not numbers.falls and field.distinct >= 10:
            yield (
                f"{field.name} never falls: if it is the reading of a counter, send the difference to the reading "
                "before, or meter it with latest or max"
            )
