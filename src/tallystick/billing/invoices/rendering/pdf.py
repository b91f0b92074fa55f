"""A document as PDF/A-3a: archivable, tagged for screen readers, with its own JSON attached.

The layout is `templates/invoice.typ`. Texts reach it as data, never as source, so none of them can be markup.
The fonts are the ones that the typesetter ships, which makes the bytes the same everywhere; they cover Latin,
Greek, Cyrillic and Hebrew. For other scripts the machine's fonts are asked. What none of them can print is shown
as a mark, with a note that says so; and labels in a language that can't be printed are in English.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, TypeAlias

import typst

from tallystick.billing.invoices.documents import as_json
from tallystick.billing.invoices.models import InvoiceContent
from tallystick.billing.invoices.rendering.text import UNPRINTABLE, breakable
from tallystick.billing.invoices.rendering.view import view_of
from tallystick.billing.invoices.rendering.words import ENGLISH, Words
from tallystick.http.answers import dumps

Standard: TypeAlias = Literal["1.7", "a-3a"]
ARCHIVABLE: Standard = "a-3a"
PLAIN: Standard = "1.7"

LATIN = frozenset(map(chr, range(0x20, 0x7F))) | frozenset(map(chr, range(0xA0, 0x180)))
"""What the shipped fonts print for certain."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""When a draft was made: never. Its bytes are the same as long as it says the same."""


def as_pdf(content: InvoiceContent, locale: str | None = None) -> bytes:
    """The document, in its own language or another."""
    shown: dict[str, Any] = asdict(view_of(content, locale))
    system = not _prints(_characters(shown), system=False)
    if system:
        shown = _printable(content, shown)
    statement = shown["statement"]
    shown = _mapped(shown, breakable) | {"statement": statement}
    return _compile(shown, dumps(as_json(content)).decode(), _stamp(content), system=system)


def _printable(content: InvoiceContent, shown: dict[str, Any]) -> dict[str, Any]:
    """The view without letters that neither the shipped fonts nor the machine's have."""
    if not _prints(_characters(Words.of_language(shown["language"]).sections), system=True):
        shown = asdict(view_of(content, ENGLISH))
    if not (missing := _missing(_characters(shown))):
        return shown
    shown = _mapped(shown, lambda text: "".join(UNPRINTABLE if char in missing else char for char in text))
    note = Words.of_language(shown["language"])("document", "missing_glyphs", mark=UNPRINTABLE)
    return shown | {"notes": [*shown["notes"], note]}


def _compile(shown: dict[str, Any], attached: str, stamp: datetime, *, system: bool) -> bytes:
    inputs = {"view": json.dumps(shown, ensure_ascii=False), "json": attached}
    try:
        return _typeset(_template(), inputs, stamp, ARCHIVABLE, system=system)
    except typst.TypstError:  # letters that fonts have one by one, but not together: better plain PDF than none
        return _typeset(_template(), inputs, stamp, PLAIN, system=system)


def _typeset(source: bytes, inputs: dict[str, str], stamp: datetime, standard: Standard, *, system: bool) -> bytes:
    compiler = typst.Compiler(source, font_paths=_fonts(system=system), sys_inputs=inputs)
    made = compiler.compile(format="pdf", pdf_standards=standard, timestamp=stamp)
    assert isinstance(made, bytes)
    return made


def _stamp(content: InvoiceContent) -> datetime:
    return datetime.combine(content.issued_on, time(), UTC) if content.issued_on else _EPOCH


@cache
def _template() -> bytes:
    return files(__package__).joinpath("templates", "invoice.typ").read_bytes()


@cache
def _fonts(*, system: bool) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=system, include_embedded_fonts=True)


@lru_cache(maxsize=4096)
def _prints(characters: str, *, system: bool) -> bool:
    """Whether the fonts have all of these: an archivable document that lacks one is refused by the typesetter."""
    source = b'#set document(title: "-")\n#sys.inputs.text'
    try:
        _typeset(source, {"text": characters}, _EPOCH, ARCHIVABLE, system=system)
    except typst.TypstError:
        return False
    return True


def _missing(characters: str) -> set[str]:
    """Those that no font has, found by halving."""
    if not characters or _prints(characters, system=True):
        return set()
    if len(characters) == 1:
        return {characters}
    half = len(characters) // 2
    return _missing(characters[:half]) | _missing(characters[half:])


def _characters(value: Any) -> str:
    """The characters of all texts, each once, without those that are printed for certain."""
    return "".join(sorted({char for text in _texts(value) for char in text} - LATIN))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case tuple() | list():
            for each in value:
                yield from _texts(each)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The view with every text changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _mapped(each, change) for key, each in value.items()}
        case _:
            return [_mapped(each, change) for each in value]
