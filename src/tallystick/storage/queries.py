"""Named statements: every `queries.sql` is blocks of `-- name: …`, a description, and one statement."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg.sql import SQL

_BLOCK = re.compile(r"^-- name: (?P<name>\w+)\n(?P<body>.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)


class Queries:
    """The statements of one package, by name. Some have `{slots}` that the store fills with composed SQL."""

    def __init__(self, source: str) -> None:
        self._statements: dict[str, SQL] = {}
        for block in _BLOCK.finditer(source):
            name, body = block["name"], block["body"].strip()
            if name in self._statements:
                raise ValueError(f"two statements are named {name}")
            if not body.startswith("-- "):
                raise ValueError(f"statement {name} has no description")
            self._statements[name] = SQL(cast(LiteralString, body.rstrip(";")))

    def __getitem__(self, name: str) -> SQL:
        return self._statements[name]

    @property
    def names(self) -> list[str]:
        """Every statement's name."""
        return list(self._statements)

    @staticmethod
    @cache
    def load(package: str) -> "Queries":
        """The statements in the package's `queries.sql`."""
        return Queries(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))
