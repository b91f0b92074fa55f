"""What this process has recorded, by number: so that what was read before can be known to be out of date."""

from collections.abc import Iterable

MOST_TEAMS = 100_000


class Recordings:
    """Numbers each recording of this process, and knows the last one about each team."""

    def __init__(self) -> None:
        self._last = 0
        self._of: dict[str, int] = {}
        self._floor = 0

    @property
    def last(self) -> int:
        """The number of the last recording; 0: there was none."""
        return self._last

    def of(self, team_id: str) -> int:
        """The number of the last recording that was, or may have been, about a team."""
        return self._of.get(team_id, self._floor)

    def note(self, team_ids: Iterable[str] | None) -> None:
        """Number another one, about these teams; None: about any."""
        self._last += 1
        if team_ids is None or len(self._of) > MOST_TEAMS:
            self._of, self._floor = {}, self._last
        else:
            self._of.update(dict.fromkeys(team_ids, self._last))
