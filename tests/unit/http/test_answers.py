import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from tallystick.http.answers import Instant, Number, dumps


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+3"), '"1000"'),
        (Decimal("0.10"), '"0.1"'),
        (Decimal("-0"), '"0"'),
        (Decimal("99999999999999999999.999999999999999999"), '"99999999999999999999.999999999999999999"'),
        (datetime(2026, 3, 15, 12, tzinfo=UTC), '"2026-03-15T12:00:00Z"'),
        (datetime(2026, 3, 15, 12, 0, 0, 5, tzinfo=UTC), '"2026-03-15T12:00:00.000005Z"'),
        (
            datetime(2026, 3, 15, 12, tzinfo=timezone(timedelta(hours=5, minutes=45))),
            '"2026-03-15T06:15:00Z"',
        ),
        (date(2026, 3, 15), '"2026-03-15"'),
        (UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        ({"a": [None, True, 1, "ü"]}, '{"a":[null,true,1,"ü"]}'),
    ],
)
def test_values_look_as_promised(value, text):
    assert dumps(value).decode() == text


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_has_no_text_is_refused(value):
    with pytest.raises(TypeError):
        dumps(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_number_for_is_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(value)


def test_a_naive_datetime_never_leaves():
    with pytest.raises(ValueError, match="naive"):
        dumps(datetime(2026, 3, 15))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Number, Decimal("1E-7"), "0.0000001"),
        (Instant, datetime(2026, 3, 15, 14, tzinfo=timezone(timedelta(hours=2))), "2026-03-15T12:00:00Z"),
    ],
)
def test_response_models_write_the_same(kind, value, text):
    assert json.loads(TypeAdapter(kind).dump_json(value)) == text
