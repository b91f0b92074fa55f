"""What closing did. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tallystick.core.clock import Interval


class Failure(NamedTuple):
    """A period that could not be closed, and why. It stays open, and is tried again with the next run."""

    team_id: str
    period: Interval
    message: str


class Progress(NamedTuple):
    """How far a run has come: of `due` periods so many are closed, or could not be."""

    due: int
    closed: int
    failed: int


Report = Callable[[Progress], None]
"""Is told of every batch that was done."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a run did.

    Attributes:
        statements: ids of the statements that were closed.
        corrections: ids of the statements of adjustments alone that were closed.
        adjustments: how many adjustments they hold.
        failures: what could not be closed.
        left: teams that somebody else was closing or changing.
    """

    statements: tuple[int, ...] = ()
    corrections: tuple[int, ...] = ()
    adjustments: int = 0
    failures: tuple[Failure, ...] = ()
    left: frozenset[str] = frozenset()

    def __add__(self, other: "Closed") -> "Closed":
        return Closed(
            self.statements + other.statements,
            self.corrections + other.corrections,
            self.adjustments + other.adjustments,
            self.failures + other.failures,
            self.left | other.left,
        )
