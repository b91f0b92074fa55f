"""The history of a report as CSV (RFC 4180): a row per metric, dimension values and window."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

from tallystick.billing.report import MetricReport, Point, Report, Series
from tallystick.core.money import plain

BEFORE = ("team_id", "metric", "unit")
AFTER = ("window_start", "window_end", "usage", "events", "unvalued")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


def as_csv(report: Report) -> str:
    """The report's history. A value that is not there is empty; text never begins a formula.

    Text that a spreadsheet would run as a formula gets an apostrophe before it, which spreadsheets don't show.
    """
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*BEFORE, *(_text(name) for name in report.group_by), *AFTER])
    writer.writerows(_rows(report))
    return text.getvalue()


def _rows(report: Report) -> Iterator[list[str]]:
    for metric in report.metrics:
        for series in metric.history:
            for point in series.points:
                yield _row(report, metric, series, point)


def _row(report: Report, metric: MetricReport, series: Series, point: Point) -> list[str]:
    return [
        _text(report.account.team.id),
        _text(metric.definition.name),
        _text(metric.definition.unit),
        *(_text(series.dimensions[name] or "") for name in report.group_by),
        point.start.isoformat(),
        point.end.isoformat(),
        _number(point.usage),
        str(point.events),
        str(point.unvalued),
    ]


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA) else value


def _number(value: Decimal | None) -> str:
    return "" if value is None else plain(value)
