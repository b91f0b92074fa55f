"""Finding the file of a place again, and files that were rotated away while nobody looked."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from tallystick.core.errors import InvalidInput
from tallystick.importing.following.followed import Followed
from tallystick.importing.following.opened import OpenFile
from tallystick.importing.following.place import Place
from tallystick.importing.following.siblings import Sibling, siblings
from tallystick.importing.stream import Damaged


class Search:
    """Looks through the files beside a followed path. What it found once is never found again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._claimed: set[tuple[int, int]] = set()
        self._copies: set[tuple[Path, int]] = set()

    def claim(self, opened: OpenFile) -> None:
        """This file is being read; it is no find."""
        self._claimed.add(opened.identity)

    def find(self, place: Place, live: OpenFile | None = None) -> Followed | None:
        """The file of a place: the one with its inode, else one with its content.

        Args:
            place: in the file that is wanted.
            live: the file at the path, if it may be it.
        """
        for path, opened in self._candidates(place, live):
            if opened.holds(place):
                return self._found(path, opened, place)
            if opened is not live:
                opened.close()
        return None

    def missed(self, since_ns: int, places: Iterable[Place]) -> list[Followed]:
        """Rotated files that were written to since an instant and are not known, the oldest first.

        Args:
            since_ns: the instant, in nanoseconds since 1970.
            places: in files that are being read; a copy of one of them is not missed.
        """
        # By its beginning alone a file can't be told from another with the same header; then its lines' keys do.
        known = [place for place in places if place.offset > place.head_bytes]
        found = []
        for sibling in self._free(siblings(self._path)):
            if not sibling.rotated or sibling.modified_ns < since_ns or sibling.version in self._copies:
                continue
            for path, opened in _opened([sibling]):
                if any(opened.holds(place) for place in known):
                    self._copies.add(sibling.version)
                    opened.close()
                else:
                    self._claimed.add(sibling.identity)
                    found.append(Followed(opened, path))
        return found

    def _free(self, found: Iterable[Sibling]) -> list[Sibling]:
        return [each for each in found if each.identity not in self._claimed]

    def _candidates(self, place: Place, live: OpenFile | None) -> Iterator[tuple[Path, OpenFile]]:
        own = (place.device, place.inode)
        beside = self._free(siblings(self._path))
        free = live if live and live.identity not in self._claimed else None
        if free and free.identity == own:
            yield self._path, free
        yield from _opened(each for each in beside if each.identity == own)
        if free and free.identity != own:
            yield self._path, free
        copies = [each for each in reversed(beside) if each.rotated and each.identity != own]
        yield from _opened(each for each in copies if not each.packed and each.size >= place.offset)
        yield from _opened(each for each in copies if each.packed)

    def _found(self, path: Path, opened: OpenFile, place: Place) -> Followed:
        self._claimed.add(opened.identity)
        device, inode = opened.identity
        return Followed(opened, path, place if opened.packed else place._replace(device=device, inode=inode))


def _opened(found: Iterable[Sibling]) -> Iterator[tuple[Path, OpenFile]]:
    """Those that can be read."""
    for sibling in found:
        with suppress(OSError, InvalidInput, Damaged):
            opened = OpenFile.open(sibling.path)
            yield sibling.path, opened
