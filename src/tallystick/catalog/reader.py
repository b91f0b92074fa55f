"""YAML 1.2 text to plain values that know where they stand, every number exact.

PyYAML composes the tree; its YAML 1.1 guesses are left out, so that `on`, `yes`, `12:30` and
`2026-03-01` stay the texts that were written, and a number becomes the Decimal that its text spells.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import yaml

from tallystick.catalog.errors import CatalogueError, Problem, Problems, below

MAX_VALUES = 1_000_000
"""The most values a file may expand to: aliases of aliases multiply."""

_TAG = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_EXPONENT = re.compile(r"[-+]?[0-9.]+[eE][-+]?[0-9]+")
_HINTS = {
    "found character '\\t' that cannot start any token": "a tab can't indent; use spaces",
    "but found another document": "a second document begins here; only one is allowed",
}


class Entry(NamedTuple):
    """A key of a mapping, where it stands, and its value."""

    line: int
    column: int
    node: "Node"


Value = Mapping[str, Entry] | Sequence["Node"] | Decimal | str | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value of the file. Lines and columns count from 1; `text` is a scalar as it was written."""

    value: Value
    line: int
    column: int
    text: str = ""


def read(source: str, problems: Problems) -> Node:
    """The value that the YAML text describes; duplicate keys and odd tags are noted as problems.

    Raises:
        CatalogueError: the text is not YAML, or is empty.
    """
    try:
        root = yaml.compose(source, Loader=_CoreLoader)
        if root is None:
            raise _no_yaml(problems.file, 1, 1, "the file is empty; it begins with `version: 1`")
        node = _Reader(problems).read(root)
        if _expanded(node, {}) > MAX_VALUES:
            raise _no_yaml(problems.file, 1, 1, f"aliases expand to more than {MAX_VALUES:,} values")
        return node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _no_yaml(problems.file, *where, f"not valid YAML: {_explain(error)}") from None
    except yaml.reader.ReaderError as error:
        before = source[: error.position]
        where = (before.count("\n") + 1, error.position - before.rfind("\n"))
        message = f"the character U+{error.character:04X} is not allowed in YAML"
        raise _no_yaml(problems.file, *where, message) from None
    except RecursionError:
        raise _no_yaml(problems.file, 1, 1, "values are nested too deeply") from None


def _no_yaml(file: str, line: int, column: int, message: str) -> CatalogueError:
    return CatalogueError([Problem(file, line, column, "", message)])


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join((error.problem or "can't be read").split())
    if problem in _HINTS or not error.context:
        return _HINTS.get(problem, problem)
    begun = f" that begins in line {error.context_mark.line + 1}" if error.context_mark else ""
    return f"{problem} ({' '.join(error.context.split())}{begun})"


class _CoreLoader(yaml.SafeLoader):
    """Takes scalars for what YAML 1.2's core schema says they are, and nothing else."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way to begin without the inherited ones)


for _kind, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "|".join(_BOOLEANS), list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", "<<", ["<"]),
):
    _CoreLoader.add_implicit_resolver(_TAG + _kind, re.compile(rf"(?:{_pattern})\Z"), _first)


class _Reader:
    """Turns composed nodes into ours, each once however many aliases name it."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._done: dict[yaml.Node, Node] = {}
        self._open: set[yaml.Node] = set()

    def read(self, raw: yaml.Node, path: str = "") -> Node:
        if raw not in self._done:
            if raw in self._open:
                raise _no_yaml(self._problems.file, *_place(raw), "this anchor contains itself")
            self._open.add(raw)
            text = raw.value if isinstance(raw, yaml.ScalarNode) else ""
            self._done[raw] = Node(self._value(raw, path), *_place(raw), text)
            self._open.remove(raw)
        return self._done[raw]

    def _value(self, raw: yaml.Node, path: str) -> Value:
        if isinstance(raw, yaml.MappingNode) and raw.tag == f"{_TAG}map":
            return self._merged(raw, path) | self._own(raw, path)
        if isinstance(raw, yaml.SequenceNode) and raw.tag == f"{_TAG}seq":
            return [self.read(item, f"{path}[{i}]") for i, item in enumerate(raw.value)]
        return self._scalar(raw, path)

    def _own(self, raw: yaml.MappingNode, path: str) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for key, value in raw.value:
            if key.tag == f"{_TAG}merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                self._refuse(key, path, "a key must be text, not a list or a mapping")
            elif key.value in entries:
                first = entries[key.value].line
                self._refuse(key, below(path, key.value), f"appears twice; it is set in line {first} already")
            else:
                entries[key.value] = Entry(*_place(key), self.read(value, below(path, key.value)))
        return entries

    def _merged(self, raw: yaml.MappingNode, path: str) -> dict[str, Entry]:
        """What `<<: *defaults` brings; of several, the first that has a key sets it."""
        entries: dict[str, Entry] = {}
        for source in self._merge_sources(raw):
            value = self.read(source, path).value
            if isinstance(value, Mapping):
                entries = {**value, **entries}
            else:
                self._refuse(source, path, "`<<` takes a mapping, or a list of mappings")
        return entries

    @staticmethod
    def _merge_sources(raw: yaml.MappingNode) -> Iterator[yaml.Node]:
        for key, value in raw.value:
            if key.tag == f"{_TAG}merge":
                yield from value.value if isinstance(value, yaml.SequenceNode) else (value,)

    def _scalar(self, raw: yaml.Node, path: str) -> Value:
        kind = raw.tag.removeprefix(_TAG)
        if isinstance(raw, yaml.ScalarNode):
            if kind in ("str", "merge"):
                return str(raw.value)
            if kind == "null":
                return None
            if kind == "bool" and raw.value in _BOOLEANS:
                return _BOOLEANS[raw.value]
            if kind in ("int", "float") and (number := _number(raw.value)) is not None:
                return number
        tag = raw.tag.replace(_TAG, "!!")
        self._refuse(raw, path, f"the tag {tag} does not fit here; leave it out")
        return None

    def _refuse(self, raw: yaml.Node, path: str, message: str) -> None:
        self._problems.add(*_place(raw), path, message)


def _place(raw: yaml.Node) -> tuple[int, int]:
    return raw.start_mark.line + 1, raw.start_mark.column + 1


def _number(text: str) -> Decimal | None:
    """The number, exactly; infinite where its exponent is beyond all bounds, None where it is none."""
    if text.startswith(("0x", "0o")):
        return Decimal(int(text, 0))
    if text.lower() in (".nan", ".inf", "+.inf", "-.inf"):
        return Decimal(text.replace(".", ""))
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity") if _EXPONENT.fullmatch(text) else None


def _expanded(node: Node, known: dict[Node, int]) -> int:
    """How many values the node holds when every alias is written out."""
    if node not in known:
        value = node.value
        inner = [entry.node for entry in value.values()] if isinstance(value, Mapping) else value
        parts = inner if isinstance(inner, list) else []
        known[node] = 1 + sum(_expanded(part, known) for part in parts)
    return known[node]
