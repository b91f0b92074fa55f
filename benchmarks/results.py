"""What benchmarks yield: figures, each next to its ceiling, and how they are shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

COLUMNS = ("", "measured", "rounds", "ceiling", "", "ratio")
LEFT = (True, False, False, False, True, False)


class Figure(NamedTuple):
    """Something measured, and the best that the same machine does at the same time.

    Attributes:
        what: is measured.
        unit: of both.
        rounds: of what was measured and of its ceiling; the medians count.
        against: what the ceiling is.
    """

    what: str
    unit: str
    rounds: Sequence[tuple[float, float]]
    against: str

    @property
    def measured(self) -> float:
        """The median of the rounds."""
        return median(measured for measured, _ in self.rounds)

    @property
    def ceiling(self) -> float:
        """The median of the ceiling's rounds."""
        return median(ceiling for _, ceiling in self.rounds)

    @property
    def ratio(self) -> float:
        """What was measured over its ceiling."""
        return self.measured / self.ceiling

    def cells(self) -> tuple[str, ...]:
        """The figure as a row of `COLUMNS`."""
        low, high = min(m for m, _ in self.rounds), max(m for m, _ in self.rounds)
        spread = f"{number(low)} – {number(high)}" if len(self.rounds) > 1 else ""
        measured, ceiling = (f"{number(value)} {self.unit}" for value in (self.measured, self.ceiling))
        return (self.what, measured, spread, ceiling, self.against, f"{number(self.ratio)} ×")


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found out.

    Attributes:
        name: of its section in docs/benchmarks.md.
        setting: sizes and rounds, in a sentence.
        figures: the table.
        remarks: sentences that the table needs.
    """

    name: str
    setting: str
    figures: Sequence[Figure]
    remarks: Sequence[str] = ()


def number(value: float) -> str:
    """Three significant digits, thousands grouped: 41,300 · 12.4 · 0.27."""
    if abs(value) >= 100:
        digits = max(len(str(int(abs(value)))) - 3, 0)
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def percentile(values: Sequence[float], percent: int) -> float:
    """The percentile by nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def as_text(result: Result) -> str:
    """The result for a terminal."""
    rows = [COLUMNS, *(figure.cells() for figure in result.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ("  ".join(_padded(row, widths)).rstrip() for row in rows)
    return "\n".join([result.setting, "", *lines, *_list(result.remarks)])


def as_markdown(result: Result) -> str:
    """The result for docs/benchmarks.md."""
    rule = "|".join("---" if left else "---:" for left in LEFT)
    rows = [COLUMNS, *(figure.cells() for figure in result.figures)]
    table = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([result.setting, "", table[0], f"|{rule}|", *table[1:], *_list(result.remarks)])


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for cell, width, left in zip(row, widths, LEFT, strict=True):
        yield cell.ljust(width) if left else cell.rjust(width)


def _list(remarks: Sequence[str]) -> list[str]:
    return ["", *(f"* {remark}" for remark in remarks)] if remarks else []
