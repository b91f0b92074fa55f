"""One open file of a trail: how far it is read, and what its lines mean once its beginning is there."""

from pathlib import Path

from tallystick.importing.following.layout import Layout
from tallystick.importing.following.memory import Memory
from tallystick.importing.following.models import CUT_OFF, FollowOptions, Piece
from tallystick.importing.following.opened import OpenFile
from tallystick.importing.following.place import Place
from tallystick.importing.models import Row


class Followed:
    """An open file that is being read.

    Attributes:
        file: it.
        path: where it was found.
        place: how far it is read; None until its beginning is there.
        layout: what its lines mean; None until then, too.
        certainly_new: it is known to be none of those that were read before, whatever it begins with.
        seen_ns: when it was written to last, in nanoseconds since 1970, as of the last look at it.
        refused: its lines don't fit the options, so none of them is read.
    """

    def __init__(self, file: OpenFile, path: Path, place: Place | None = None, *, certainly_new: bool = False) -> None:
        self.file = file
        self.path = path
        self.place = place
        self.layout: Layout | None = None
        self.certainly_new = certainly_new
        self.seen_ns = file.modified_ns
        self.refused = False

    def settle(self, live: Path, options: FollowOptions, memory: Memory) -> bool:
        """Give it a place and a layout, if its beginning is there by now; whether it has them.

        Args:
            live: the followed path, by whose name the layout is told; this file may have another one.
            options: what its lines mean.
            memory: of the path.

        Raises:
            InvalidInput: its lines don't fit the options.
        """
        if self.layout or self.refused:
            return not self.refused
        head = self.file.head()
        if head is None:
            return False
        new = self.certainly_new
        name = self.place.name if self.place else memory.name(options.source, head, certainly_new=new)
        self.layout = Layout(str(live), head, name, options.rows)
        if self.place is None:
            self.place = self.file.start(name, head)
            memory.begin(self.place, certainly_new=new)
        return True

    def read(self) -> Piece | None:
        """The next whole lines; None if there are none.

        Raises:
            Replaced: what was read is gone from the file.
        """
        if self.place is None or self.layout is None:
            return None
        modified_ns = self.file.modified_ns
        block = self.file.read(self.place)
        self.seen_ns = modified_ns
        if block is None:
            return None
        rows = [row for line in block.lines for row in self.layout.rows(line)]
        return Piece(self, rows, block.after)

    def cut_off(self) -> Piece | None:
        """The line at its end that has no end, as a row that is no event; None if there is none."""
        if self.place is None or self.layout is None:
            return None
        rest = self.file.rest(self.place)
        if not rest:
            return None
        return Piece(self, [Row(self.place.line + 1, self.place.offset + len(rest), None, CUT_OFF, rest)], None)

    def key(self, row: Row) -> str:
        """The key that a row gets unless it has its own."""
        assert self.layout
        return self.layout.key(row.position, row.raw)
