import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.http.paging import cut, decode_cursor, encode_cursor

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100)
INSTANTS = st.datetimes(timezones=st.just(UTC))
INTEGERS = st.integers(-(2**63), 2**63 - 1)


def opaque(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(INSTANTS, TEXTS, INTEGERS)
def test_a_cursor_brings_the_position_back_exactly(moment, text, number):
    cursor = encode_cursor(moment, text, number)
    assert decode_cursor(cursor, datetime, str, int) == (moment, text, number)


@given(st.uuids())
def test_an_identity_is_a_position(identity):
    assert decode_cursor(encode_cursor(identity), UUID) == (identity,)


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_a_cursor_needs_no_quoting_in_a_url(texts):
    assert set(encode_cursor(*texts)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "Größe",
        "A" * 5000,
        opaque("text"),
        opaque({"a": 1}),
        opaque([]),
        opaque([1, 2]),
        opaque([True]),
        opaque([1.5]),
        opaque([None]),
        opaque(["7"]),
        opaque([2**63]),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 1000).decode(),
        base64.urlsafe_b64encode(b"[NaN]").decode(),
    ],
)
def test_anything_else_is_refused_as_a_cursor(cursor):
    with pytest.raises(InvalidInput, match="not a cursor of this listing") as refused:
        decode_cursor(cursor, int)
    assert refused.value.details() == {"field": "cursor"}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_texts_that_postgresql_can_not_hold_are_refused(text):
    with pytest.raises(InvalidInput):
        decode_cursor(opaque([text]), str)


@pytest.mark.parametrize("text", ["yesterday", "2026-03-15", "2026-03-15T12:00:00"])
def test_an_instant_has_to_be_one(text):
    with pytest.raises(InvalidInput):
        decode_cursor(opaque([text]), datetime)


def test_a_page_that_holds_everything_is_the_last():
    assert cut([1, 2, 3], 3, lambda row: (row,)) == ([1, 2, 3], None)


def test_a_fuller_listing_continues_after_the_last_row_shown():
    rows, cursor = cut([1, 2, 3, 4], 3, lambda row: (row,))
    assert rows == [1, 2, 3]
    assert cursor is not None
    assert decode_cursor(cursor, int) == (3,)
