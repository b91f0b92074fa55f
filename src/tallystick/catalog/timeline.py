"""Versions along effective time: what a file says of one metric or price, laid over what is stored.

Versions don't overlap; each holds in `[start, end)`. What was said is never lost: a version ends where
the next one begins, or is superseded by one that says the same interval better. Pure.

How a file is read, with `now` the instant at which it is applied:

* An entry with an instant begins a version there, or corrects the one that begins there already.
* An entry with an end leaves nothing in force from there until the next one begins.
* An entry without one is what holds now: where that differs, a new version begins now. The first ever
  holds from the beginning, unless teams were charged without it. Beside entries whose instant has passed it
  is what held before them.
* A version that is still to come and is not in the file any more is withdrawn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

from tallystick.catalog.models import ChangeKind

C = TypeVar("C")

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Version(Generic[C]):
    """What holds in `[start, end)`; `id` is None until it is stored."""

    content: C
    start: datetime = BEGINNING
    end: datetime = END
    id: int | None = None


class Entry(NamedTuple, Generic[C]):
    """What the file says from an instant on (None: from now on) up to another (None: until the next entry)."""

    content: C
    start: datetime | None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shift(Generic[C]):
    """One step of the way from what is stored to what the file says."""

    kind: ChangeKind
    before: C | None
    after: C | None
    start: datetime = BEGINNING
    end: datetime = END
    retroactive: bool = False
    withdrawn: bool = False
    prolonged: bool = False


@dataclass(slots=True)
class Timeline(Generic[C]):
    """The versions of one metric or price, in order, while they are brought in line with a file.

    `used`: teams were charged already where it has no version, so that the first one changes what they pay.
    """

    now: datetime
    versions: list[Version[C]]
    used: bool = False
    shifts: list[Shift[C]] = field(default_factory=list)
    new: bool = field(init=False)
    _stored: list[Version[C]] = field(init=False)
    _ends: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.versions = sorted(self.versions, key=lambda version: version.start)
        self.new = not self.used and all(version.start > self.now for version in self.versions)
        self._stored = list(self.versions)

    def follow(self, entries: Sequence[Entry[C]]) -> None:
        """Make the versions say what the file says."""
        dated = {entry.start: entry.content for entry in entries if entry.start is not None}
        self._ends = {entry.end for entry in entries if entry.end is not None} - dated.keys()
        self._withdraw(keep=set(dated))
        self._prolong()
        for end in self._ends:
            self._cut(end)
        for start in sorted(dated):
            self._put(start, dated[start])
        for undated in (entry.content for entry in entries if entry.start is None):
            self._settle(undated, min([*dated, *self._ends], default=END))
        self._resume(dated)
        self.shifts += self._moved_ends()

    def finish(self) -> None:
        """End what holds now, and withdraw what is to come: the file does not name it any more."""
        self._withdraw(keep=set())
        if current := self._at(self.now):
            self._replace(current, [replace(current, end=self.now)] if current.start < self.now else [])
            self.shifts.append(Shift(ChangeKind.END, current.content, None, current.start, self.now))

    def _withdraw(self, keep: set[datetime]) -> None:
        for version in [v for v in self.versions if v.start > self.now and v.start not in keep]:
            before = next((v for v in self.versions if v.end == version.start), None)
            self._replace(version, [])
            if before:
                self._replace(before, [replace(before, end=version.end)])
            shift = Shift(ChangeKind.END, version.content, None, version.start, version.end, withdrawn=True)
            self.shifts.append(shift)

    def _prolong(self) -> None:
        """Forget the ends to come that a file said earlier; those that it still says are cut anew."""
        starts = {version.start for version in self.versions}
        for version in [v for v in self.versions if self.now < v.end < END and v.end not in starts]:
            self._replace(version, [replace(version, end=self._following(version.start))])

    def _cut(self, end: datetime) -> None:
        """Nothing holds from `end` on, until the next version begins."""
        covering = self._at(end)
        if covering and covering.start < end:
            self._replace(covering, [replace(covering, end=end)])

    def _moved_ends(self) -> Iterator[Shift[C]]:
        """Stored versions that end elsewhere than they did, where none begins, or where there was such an end."""
        starts, before = {v.start for v in self.versions}, {v.id: v.end for v in self._stored}
        gaps = set(before.values()) - {v.start for v in self._stored} - {END}
        for version in self.versions:
            was = before.get(version.id, version.end)
            into_gap = version.end != END and version.end not in starts
            if version.end > was and was in gaps:
                yield self._ended(version, ChangeKind.CHANGE)
            elif version.end != was and into_gap:
                yield self._ended(version, ChangeKind.END)

    def _ended(self, version: Version[C], kind: ChangeKind) -> Shift[C]:
        after = version.content if kind is ChangeKind.CHANGE else None
        retroactive = version.end < self.now
        return Shift(kind, version.content, after, version.start, version.end, retroactive, prolonged=after is not None)

    def _put(self, start: datetime, content: C) -> None:
        """Say what holds from `start` on, up to the next version."""
        covering = self._at(start)
        if covering is None:
            self._insert(Version(content, start, self._following(start)))
            return self._record(ChangeKind.ADD, None, content, start)
        if covering.start == start:
            return self._correct(covering, content)
        self._replace(covering, [replace(covering, end=start), Version(content, start, covering.end)])
        return self._record(ChangeKind.CHANGE, covering.content, content, start)

    def _record(self, kind: ChangeKind, before: C | None, after: C, start: datetime) -> None:
        version = self._at(start)
        end = version.end if version else END
        retroactive = start < self.now and not self.new and before != after
        self.shifts.append(Shift(kind, before, after, start, end, retroactive))

    def _correct(self, version: Version[C], content: C) -> None:
        if version.content == content:
            return
        self._replace(version, [replace(version, content=content, id=None)])
        self._record(ChangeKind.CORRECT, version.content, content, version.start)

    def _settle(self, content: C, first: datetime) -> None:
        """Place the entry without an instant: now, or before the first dated one if that has begun."""
        if first <= self.now:
            return self._settle_before(first, content)
        current = self._at(self.now)
        if current is None and self.new and all(version.start > self.now for version in self.versions):
            return self._put(BEGINNING, content)  # nothing was ever in force
        if current is None or current.content != content:
            self._put(self.now, content)
        return None

    def _settle_before(self, first: datetime, content: C) -> None:
        earlier = [version for version in self.versions if version.start < first]
        if earlier:
            self._correct(earlier[-1], content)
        else:
            self._put(BEGINNING, content)

    def _resume(self, dated: dict[datetime, C]) -> None:
        """Where the last dated entry that has begun is not what holds now, it begins again now."""
        begun = [start for start in (*dated, *self._ends) if start <= self.now]
        if not begun:
            return None
        if max(begun) in self._ends:
            return self._cut(self.now)
        content, current = dated[max(begun)], self._at(self.now)
        if current is None or current.content != content:
            self._put(self.now, content)
        return None

    def _following(self, start: datetime) -> datetime:
        """Where what begins at `start` ends: the next version, or the next end that the file says."""
        return min((at for at in (*(v.start for v in self.versions), *self._ends) if at > start), default=END)

    def _at(self, moment: datetime) -> Version[C] | None:
        return next((v for v in self.versions if v.start <= moment < v.end), None)

    def _insert(self, version: Version[C]) -> None:
        self.versions = sorted([*self.versions, version], key=lambda v: v.start)

    def _replace(self, old: Version[C], new: Sequence[Version[C]]) -> None:
        at = self.versions.index(old)
        self.versions[at : at + 1] = new


@dataclass(frozen=True, slots=True)
class Edits(Generic[C]):
    """What has to be written: ids to supersede, ids to bound anew, and versions to insert, in this order."""

    superseded: tuple[int, ...]
    bounded: tuple[Version[C], ...]
    inserted: tuple[Version[C], ...]


def edits(before: Sequence[Version[C]], after: Sequence[Version[C]]) -> Edits[C]:
    """How to get from the stored versions to the others."""
    kept = {version.id: version for version in after if version.id is not None}
    return Edits(
        superseded=tuple(v.id for v in before if v.id is not None and v.id not in kept),
        bounded=tuple(kept[v.id] for v in before if v.id in kept and kept[v.id].end != v.end),
        inserted=tuple(version for version in after if version.id is None),
    )


def keeping_the_past(changes: Edits[C], now: datetime) -> Edits[C]:
    """The same edits, but a version cut in the past is superseded by a shorter one.

    So what a past statement knew, versions recorded and not superseded by then, stays as it was.
    """
    cut = [version for version in changes.bounded if version.end < now]
    return Edits(
        superseded=changes.superseded + tuple(_ids(cut)),
        bounded=tuple(version for version in changes.bounded if version.end >= now),
        inserted=(*(replace(version, id=None) for version in cut), *changes.inserted),
    )


def _ids(versions: Sequence[Version[C]]) -> Iterator[int]:
    return (version.id for version in versions if version.id is not None)
