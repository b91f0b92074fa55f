"""What documents say besides numbers, names and dates: one TOML file per language, all with the same keys."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple, Self

from babel import Locale

ENGLISH = "en"


class Words(NamedTuple):
    """The words of one language, by section and key."""

    language: str
    sections: dict[str, dict[str, str]]

    @classmethod
    def of(cls, locale: Locale) -> Self:
        """The words of the locale's language; English where there are none."""
        return cls.of_language(locale.language if locale.language in languages() else ENGLISH)

    @classmethod
    def of_language(cls, language: str) -> Self:
        """The words of a language that has some."""
        return cls(language, _read(language))

    def __call__(self, section: str, key: str, /, **values: str) -> str:
        """The text, with its slots filled."""
        return self.sections[section][key].format_map(values)

    def find(self, section: str, key: str, /, **values: str) -> str | None:
        """The text, if there is one of that key."""
        return self(section, key, **values) if key in self.sections[section] else None


@cache
def languages() -> frozenset[str]:
    """The languages that documents can be written in."""
    return frozenset(each.name.removesuffix(".toml") for each in files(__name__).iterdir() if each.name[-5:] == ".toml")


@cache
def _read(language: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
