"""Text from outside, made safe to print: what a program would obey instead of showing becomes visible."""

import re
from collections.abc import Iterable

UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"

ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"

LONGEST_WORD = 32
PIECE = 16
"""How many letters of a longer word stay together."""

_LONG_WORD = re.compile(rf"[^\s-]{{{LONGEST_WORD + 1},}}")

_CONTROL = re.compile(
    r"[^\S \u00a0\u2009\u202f]"  # white space but spaces: tabs, line ends
    r"|[\x00-\x1f\x7f-\x9f]"  # controls
    r"|[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"  # invisible, or turning the direction of what follows
)


def clean(text: str) -> str:
    """The text on one line, every character of it visible."""
    return _CONTROL.sub(UNPRINTABLE, text)


def filled(lines: Iterable[str]) -> tuple[str, ...]:
    """Those of the lines that are not empty, each made safe to print."""
    return tuple(clean(line.strip()) for line in lines if line.strip())


def breakable(text: str) -> str:
    """The text with places to break a line inside words that are longer than one."""
    return _LONG_WORD.sub(lambda word: ZERO_WIDTH_SPACE.join(_pieces(word[0])), text)


def _pieces(word: str) -> list[str]:
    return [word[at : at + PIECE] for at in range(0, len(word), PIECE)]
