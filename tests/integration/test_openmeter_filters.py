"""Filters of meter queries: LIKE means what it means in SQL, and no pattern takes long."""

import re

import hypothesis.strategies as st
from hypothesis import given

from tallystick.integrations.openmeter.filters import like, read_filter

PIECES = st.lists(st.sampled_from(["a", "b", "%", "_", "\\%", "\\_", "\\\\", ".", "*", "é"]), max_size=8)
TEXTS = st.text(st.sampled_from("ab%_\\.*é"), max_size=8)


def as_regex(pieces: list[str]) -> str:
    means = {"%": ".*", "_": "."}
    return "".join(means.get(piece) or re.escape(piece[-1]) for piece in pieces)


@given(PIECES, TEXTS)
def test_like_is_sql_s_like(pieces: list[str], text: str) -> None:
    assert like(text, "".join(pieces)) is bool(re.fullmatch(as_regex(pieces), text, re.DOTALL))


def test_no_pattern_takes_longer_than_text_times_pattern() -> None:
    assert not like("a" * 1000, "%a" * 500 + "b")  # a backtracking matcher would not come back
    assert like("a" * 1000, "%a" * 500)


@given(TEXTS, TEXTS)
def test_each_operator_has_its_opposite(text: str, wanted: str) -> None:
    opposites = [("$eq", "$ne"), ("$like", "$nlike"), ("$ilike", "$nilike"), ("$gt", "$lte"), ("$gte", "$lt")]
    for one, other in opposites:
        assert read_filter({one: wanted}, "d").passes(text) is not read_filter({other: wanted}, "d").passes(text)
    assert read_filter({"$in": [wanted]}, "d").passes(text) is not read_filter({"$nin": [wanted]}, "d").passes(text)
