"""Cuts an array that is no JSON into its elements, so that a bad one does not take the others with it.

One event with `NaN`, half a surrogate pair or a bad byte makes all of a body no JSON. What is an element is
decided by commas and brackets alone, whatever the elements hold, and in bounded time whatever they are.
"""

import json
import re
from itertools import islice

MOST_TOKENS = 3_000_000
"""Quotes, brackets and commas that are looked at one by one, half a microsecond each."""

MOST_TRIES = 200
"""Elements that Python's reader may fail at: each time it counts the lines before."""

# Possessive, and the closing quote need not come: an open text is one token, not tried again from each of its quotes.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{},]', re.DOTALL)
_SPACE = re.compile(r"[ \t\r\n]*+")
_reader = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, strict=False)


def split_leniently(body: bytes, most: int) -> list[bytes]:
    """The elements of an array.

    Args:
        body: begins with a bracket.
        most: elements that are allowed; of more, one more is returned.

    Returns:
        The elements as they stand there; none where brackets don't match or an element is missing.
    """
    text = body.strip().decode(errors="surrogateescape")
    cutter, parts, at = _Cutter(text), list[bytes](), 1
    while len(parts) <= most:
        at = cutter.after_space(at)
        end = cutter.end_of_element(at)
        if end is None or not (part := text[at:end].rstrip()):
            return []
        parts.append(part.encode(errors="surrogateescape"))
        if text[end] == "]":
            return parts if end + 1 == len(text) else []
        at = end + 1
    return parts


class _Cutter:
    """Finds where the elements of one array end, within the bounds of the work that it is worth."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tries = MOST_TRIES
        self._tokens = MOST_TOKENS

    def after_space(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def end_of_element(self, at: int) -> int | None:
        """The place of the comma or bracket behind the element that begins there; None: there is none."""
        if self._tries:
            try:
                end = self.after_space(_reader.raw_decode(self._text, at)[1])
            except (ValueError, RecursionError):
                end = len(self._text)
            if self._text[end : end + 1] in {",", "]"}:
                return end
            self._tries -= 1
        return self._end_by_tokens(at)

    def _end_by_tokens(self, at: int) -> int | None:
        depth = 0
        for token in islice(_TOKEN.finditer(self._text, at), self._tokens):
            self._tokens -= 1
            sign = token[0]
            if sign in "[{":
                depth += 1
            elif depth == 0 and sign in ",]":
                return token.start()
            elif sign in "]}":
                depth -= 1
        return None
