"""The trail of one path: the files that its lines are in, as they are rotated, truncated and come back.

open files   the rotated ones first, each until it is read to its end and quiet; the one at the path last
renamed      the path has another inode: the old file is read on, the new one from its beginning
truncated    what was read is gone from the file: a copy that has it is read on, then the file from its beginning
restart      each place is looked for by inode, then by content; files rotated away since are read, too
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tallystick.core.clock import Clock
from tallystick.core.errors import InvalidInput
from tallystick.importing.following.followed import Followed
from tallystick.importing.following.memory import Memory
from tallystick.importing.following.models import FollowOptions, Piece
from tallystick.importing.following.opened import OpenFile, Replaced
from tallystick.importing.following.place import Place
from tallystick.importing.following.search import Search
from tallystick.importing.stream import Damaged

QUIET = timedelta(minutes=10)
"""So long a rotated file is read on after its last line: servers that reload keep writing to it for a while."""


class Trail:
    """The lines of one path, each once. `next` and `done` take turns."""

    def __init__(
        self, path: Path, options: FollowOptions, memory: Memory, clock: Clock, note: Callable[[str], None]
    ) -> None:
        """Nothing is read before `begin`.

        Args:
            path: absolute; there need not be a file yet.
            options: what its lines mean.
            memory: of this path.
            clock: tells when a rotated file has been quiet for long enough.
            note: is told what a person should know.
        """
        self._path = path
        self._options = options
        self._memory = memory
        self._clock = clock
        self._note = note
        self._search = Search(path)
        self._files: list[Followed] = []
        self._live: Followed | None = None
        self._missed_since_ns = 0
        self._noted: str | None = None

    def begin(self) -> None:
        """Find the files again that were being read, and the one at the path.

        Raises:
            InvalidInput: the path can't be read, or its lines don't fit the options.
        """
        try:
            live = self._open()
        except OSError as error:
            raise InvalidInput(f"{self._path}: {error.strerror}", field="file") from None
        if self._memory.fresh:
            self._memory.save()
        self._missed_since_ns = self._memory.saved_ns
        self._recall(live)
        self._settle(strict=True)
        if self._options.from_end and self._memory.fresh and self._live and self._live.place:
            self._move(self._live, self._live.file.end(self._live.place))

    def next(self) -> Piece | None:
        """Lines that were not done yet, of the oldest file first; None while there are none."""
        self._look()
        self._settle()
        for followed in tuple(self._files):
            try:
                if piece := followed.read():
                    return piece
            except Replaced:
                self._replaced(followed)
                return self.next()
        return self._over()

    def done(self, piece: Piece) -> None:
        """The piece's rows are stored: it does not come again."""
        if piece.after is None:
            self._finish(piece.followed)
        else:
            self._move(piece.followed, piece.after)

    def close(self) -> None:
        """Let go of all files."""
        for followed in self._files:
            followed.file.close()
        self._files.clear()

    def _over(self) -> Piece | None:
        """Give up rotated files that were read whole and are quiet; a line without an end is the last of one."""
        for followed in [each for each in self._files if each is not self._live]:
            if self._clock.now() - followed.file.modified_at >= QUIET:
                if piece := followed.cut_off():
                    return piece
                if followed.place is None and not followed.refused and followed.file.size:
                    self._note(f"{followed.path}: was rotated before its first line was written whole")
                self._finish(followed)
        return None

    def _finish(self, followed: Followed) -> None:
        if followed.place:
            self._memory.forget(followed.place)
        followed.file.close()
        self._files.remove(followed)

    def _move(self, followed: Followed, after: Place) -> None:
        assert followed.place
        self._memory.move(followed.place, after)
        followed.place = after

    def _settle(self, *, strict: bool = False) -> None:
        """Give files a place whose beginning is there by now, each before any that came after it is read.

        Raises:
            InvalidInput: if `strict`, the lines of the file at the path don't fit the options.
        """
        for followed in tuple(self._files):
            self._add_emptied(followed)
        for followed in tuple(self._files):
            try:
                followed.settle(self._path, self._options, self._memory)
            except InvalidInput as error:
                if strict and followed is self._live:
                    raise
                followed.refused = True
                self._note(f"{error}; no line of it counts until that is put right and tail is started again")

    def _look(self) -> None:
        """Whether there is another file at the path."""
        try:
            status = self._path.stat()
            if self._live is None or self._live.file.identity != (status.st_dev, status.st_ino):
                opened = self._open()
                if opened:
                    self._rotated_to(opened)
        except FileNotFoundError:
            self._add_missed(self._live)
        except (OSError, InvalidInput) as error:
            self._note_once(f"{self._path}: {error.strerror}" if isinstance(error, OSError) else str(error))

    def _rotated_to(self, opened: OpenFile) -> None:
        before = self._live
        known = next((each for each in self._files if each.file.identity == opened.identity), None)
        if known:  # it was moved away and back
            opened.close()
            self._files.remove(known)
            self._go_live(known)
            return
        followed = Followed(opened, self._path, certainly_new=before is not None)
        self._search.claim(opened)
        self._add_missed(before)
        self._go_live(followed)

    def _add_missed(self, since: Followed | None) -> list[Followed]:
        """Take up files that were rotated away unseen since a file was looked at last."""
        missed = self._search.missed(since.seen_ns if since else self._missed_since_ns, self._places())
        if since:
            since.seen_ns = since.file.modified_ns
        at = self._files.index(since) if since else len(self._files)
        self._files[at:at] = missed
        return missed

    def _add_emptied(self, followed: Followed) -> None:
        """Take up lines that were written, copied and truncated before any of them was seen."""
        if followed.place is None and followed.file.modified_ns != followed.seen_ns:
            self._add_missed(followed)

    def _go_live(self, followed: Followed) -> None:
        self._live = followed
        self._search.claim(followed.file)
        self._files.append(followed)

    def _replaced(self, followed: Followed) -> None:
        """What was read is gone from a file: read on in a copy of it; what is in it now is another."""
        place, layout = followed.place, followed.layout
        assert place
        followed.place = followed.layout = None
        followed.certainly_new = True
        if copy := self._search.find(place):
            copy.layout = layout
            self._remember(place, copy)
            self._files.insert(self._files.index(followed), copy)
        else:
            self._memory.forget(place)
        missed = self._add_missed(followed)
        # A copy that is shorter than what was read is read again: its lines have the same keys.
        if copy is None and not any(each.file.begins(place) for each in missed):
            self._note(f"{followed.path}: was truncated after line {place.line}, and no copy of it is there")

    def _recall(self, live: OpenFile | None) -> None:
        """Find the files of the places that are remembered, and those that were rotated away since."""
        lost = []
        for place in self._memory.places:
            found = self._search.find(place, live)
            if found is None:
                lost.append(place)
                continue
            self._missed_since_ns = min(self._missed_since_ns, found.file.modified_ns)
            self._remember(place, found)
            if found.file is live:
                self._live = found
            else:
                self._files.append(found)
        if live:
            self._go_live(self._live or Followed(live, self._path))
        if not self._memory.fresh:
            at = len(self._files) - (self._live is not None)
            self._files[at:at] = self._search.missed(self._missed_since_ns, self._places())
        for place in lost:
            self._forget_lost(place)

    def _forget_lost(self, place: Place) -> None:
        self._memory.forget(place)
        if not any(each.file.begins(place) for each in self._files):
            self._note(
                f"{self._path}: a rotated file is gone; lines after its line {place.line}, if any, were not read"
            )

    def _remember(self, place: Place, found: Followed) -> None:
        """Remember where the file of a place is now."""
        if found.place and found.place != place:
            self._memory.move(place, found.place)

    def _places(self) -> list[Place]:
        return [each.place for each in self._files if each.place]

    def _open(self) -> OpenFile | None:
        """The file at the path; None if there is none."""
        try:
            opened = OpenFile.open(self._path)
        except FileNotFoundError:
            return None
        except Damaged as damage:
            raise InvalidInput(f"{self._path}: {damage}", field="file") from None
        if opened.packed:
            opened.close()
            raise InvalidInput(f"{self._path}: is gzipped, so it does not grow by lines; import it", field="file")
        return opened

    def _note_once(self, message: str) -> None:
        if message != self._noted:
            self._noted = message
            self._note(message)
