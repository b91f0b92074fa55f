"""A progress bar on standard error: how much of each file is done, at what rate, and for how long still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Meter:
    """Shows files being read. Without a terminal it shows nothing."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[rows]:,} rows"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not Console(stderr=True).is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def file(self, name: str, size_bytes: int | None) -> Iterator[Callable[[int, int], None]]:
        """A bar for one file; the function it gives takes the bytes read so far and the further rows."""
        bar = self._progress.add_task(name, total=size_bytes, rows=0, rate=0.0)
        rows = 0

        def advance(offset_bytes: int, further: int) -> None:
            nonlocal rows
            rows += further
            elapsed = self._progress.tasks[bar].elapsed or 0.0
            self._progress.update(bar, completed=offset_bytes, rows=rows, rate=rows / elapsed if elapsed else 0.0)

        yield advance
        self._progress.update(bar, completed=size_bytes)
