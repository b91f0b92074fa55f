"""The words of following: how it is to be done, and a piece of what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tallystick.importing.models import ImportOptions, Row, RowProblem

if TYPE_CHECKING:
    from tallystick.importing.following.followed import Followed
    from tallystick.importing.following.place import Place

CUT_OFF = RowProblem(None, "cut_off", "has no end: its file was rotated before it was written whole")


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """How files are followed.

    Attributes:
        rows: how their lines become events, as in an import; `source_id` is not used.
        source: the machine (or what else tells files of the same path apart) in the keys of lines.
        from_end: of a file that is there when its path is followed for the first time, only further lines count.
    """

    rows: ImportOptions
    source: str
    from_end: bool = False


class Piece(NamedTuple):
    """Rows that stand one after the other in a file: events, and rows that are none.

    `after` is the place behind them; None if the file is over with them.
    """

    followed: "Followed"
    rows: Sequence[Row]
    after: "Place | None"
