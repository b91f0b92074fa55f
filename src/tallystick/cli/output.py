"""What a command prints: results on standard output, remarks and errors on standard error.

A terminal gets tables; a pipe or a file gets the same rows separated by tabs, one line each, untruncated.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import typer

WIDTH_OF_A_PIPE = 120
_NUMBER = re.compile(r"|~?-?[0-9.]+…?")


def show(text: str) -> None:
    """Print a result."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a remark, which never mixes with a result that is piped on."""
    typer.echo(text, err=True)


def show_json(value: Any) -> None:
    """Print a value as one line of JSON; decimals are plain text, instants RFC 3339."""
    from tallystick.http.answers import dumps

    typer.echo(dumps(value).decode())


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    empty: str = "nothing found",
    drawn: bool | None = None,
) -> None:
    """Print rows under their columns' names.

    Args:
        columns: the heading of each column.
        rows: values; decimals are printed plain, instants as RFC 3339, None as nothing.
        empty: what to remark when there is no row.
        drawn: as a table for people; default: on a terminal.
    """
    texts = [[cell(value) for value in row] for row in rows]
    if not texts:
        note(empty)
    elif sys.stdout.isatty() if drawn is None else drawn:
        _draw(columns, texts)
    else:
        for line in (columns, *texts):
            typer.echo("\t".join(line))


def cell(value: Any) -> str:
    """The value as printable text on one line; what a terminal would obey is made visible instead."""
    from tallystick.core.money import plain
    from tallystick.http.answers import rfc3339

    match value:
        case None:
            return ""
        case Decimal():
            return plain(value)
        case datetime():
            return rfc3339(value)
        case _:
            return "".join(char if char.isprintable() else "�" for char in str(value))


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        numeric = all(_NUMBER.fullmatch(row[place]) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=numeric)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else WIDTH_OF_A_PIPE
    Console(markup=False, emoji=False, highlight=False, width=width).print(table)
