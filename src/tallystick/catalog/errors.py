"""What is wrong with a billing file: each problem with its place, all of them at once.

Two more branches of the tree in `tallystick.core.errors`:

    TallystickError
    ├── CatalogueError      422  the file is wrong, or can't follow what is in force
    └── RetroactiveChange   409  it would change the past, and nobody allowed that
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from tallystick.core.errors import TallystickError

_PLAIN_KEY = re.compile(r"[\w@-]+(\.[\w@-]+)*")
_LONG_WORD = re.compile(r"[^\s:]{100,}")


def below(path: str, key: str) -> str:
    """The path of a key of the mapping at `path`: `plans.standard`, `teams.'Acme Inc'`."""
    shown = key if _PLAIN_KEY.fullmatch(key) else repr(key)
    return f"{path}.{shown}" if path else shown


class Problem(NamedTuple):
    """One thing that is wrong. Lines and columns count from 1; `key` is empty where the text is no YAML."""

    file: str
    line: int
    column: int
    key: str
    message: str

    def __str__(self) -> str:
        if self.key:
            return f"{self.file}:{self.line}: {self.key}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class Position(NamedTuple):
    """Where in which file a value stands, and its key path there."""

    file: str
    line: int
    column: int
    key: str

    def problem(self, message: str) -> Problem:
        """What is wrong with the value here."""
        return Problem(*self, message)


class CatalogueError(TallystickError):
    """The billing file is wrong; `problems` lists every reason, in the order of the file, a line each."""

    code = "catalogue"
    status = 422
    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(map(str, self.problems)))

    def details(self) -> dict[str, Any]:
        """`problems`: file, line, column, key and message of each."""
        return {"problems": [problem._asdict() for problem in self.problems]}


class RetroactiveChange(TallystickError):
    """The file changes what past usage counts or costs, and that was not allowed."""

    code = "retroactive"
    status = 409
    exit_code = 2

    def __init__(self, subjects: list[str]) -> None:
        self.subjects = subjects
        super().__init__(
            f"would change the past: {'; '.join(subjects)}. Allow retroactive changes to apply this, "
            "or give the entry an effective_from that is still to come"
        )

    def details(self) -> dict[str, Any]:
        """`subjects`: what would change in the past."""
        return {"subjects": self.subjects}


class Problems:
    """Collects the problems of one file, so that all are reported together."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}

    def add(self, line: int, column: int, key: str, message: str) -> None:
        """Note a problem; once, although an anchored value may be checked in several places."""
        shown = _LONG_WORD.sub(lambda word: f"{word[0][:40]}…", message)  # a number may have thousands of digits
        self._found[Problem(self.file, line, column, key, shown)] = None

    def __len__(self) -> int:
        return len(self._found)

    def below(self, path: str) -> bool:
        """Whether something at this key path, or inside it, was noted."""
        return any(problem.key == path or problem.key.startswith((f"{path}.", f"{path}[")) for problem in self._found)

    def raise_if_any(self) -> None:
        """Raise a CatalogueError with everything that was noted, if anything was."""
        if self._found:
            raise CatalogueError(self._found)
