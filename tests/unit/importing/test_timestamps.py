"""When a row happened: the same instant for every way of writing it, and a reason where there is none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tallystick.importing.instants import instant_reader
from tallystick.importing.records import BadValue

AT = datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "zone", "value", "expected"),
    [
        ("auto", "UTC", "2023-11-16T18:15:46.680590Z", AT),
        ("auto", "UTC", "2023-11-16t18:15:46.680590z", AT),
        ("auto", "UTC", "2023-11-16 18:15:46.6805900", AT),
        ("auto", "UTC", "2023-11-16 18:15:46.680590999", AT),
        ("auto", "Asia/Kathmandu", "2023-11-17T00:00:46.680590", AT),
        ("auto", "Asia/Kathmandu", "2023-11-16T18:15:46.680590Z", AT),
        ("auto", "America/New_York", "2023-11-16T19:15:46.680590+01:00", AT),
        ("auto", "UTC", " 2023-11-16T18:15Z ", AT.replace(second=0, microsecond=0)),
        ("auto", "UTC", "2023-11-16", datetime(2023, 11, 16, tzinfo=UTC)),
        ("auto", "America/New_York", "2023-11-16", datetime(2023, 11, 16, 5, tzinfo=UTC)),
        ("auto", "America/New_York", "2023-11-05T01:30:00", datetime(2023, 11, 5, 5, 30, tzinfo=UTC)),
        ("epoch-s", "UTC", 1700158546, AT.replace(microsecond=0)),
        ("epoch-s", "UTC", "1700158546.6805909", AT),
        ("epoch-s", "UTC", Decimal("1700158546.680590"), AT),
        ("epoch-ms", "Asia/Kathmandu", 1700158546680, AT.replace(microsecond=680000)),
        ("epoch-ms", "UTC", "1700158546680.59", AT),
        ("%d/%m/%Y %H:%M:%S.%f", "UTC", "16/11/2023 18:15:46.6805909", AT),
        ("%Y%m%d%H%M%S %z", "UTC", "20231116191546 +0100", AT.replace(microsecond=0)),
        ("%Y%m%d", "Asia/Kathmandu", 20231117, datetime(2023, 11, 16, 18, 15, tzinfo=UTC)),
    ],
)
def test_every_way_of_writing_an_instant_gives_it_in_utc(pattern: str, zone: str, value: Any, expected: datetime):
    found = instant_reader(pattern, zone)(value)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("pattern", "value", "reason"),
    [
        ("auto", "yesterday", "is 'yesterday', not an instant such as"),
        ("auto", "1612121212000", "not an instant"),
        ("auto", "2012012012345", "not an instant"),
        ("auto", "2023-W46-4", "not an instant"),
        ("auto", "2023-11-16T18", "not an instant"),
        ("auto", "2023-02-30", "not an instant"),
        ("auto", "2023-11-16x18:15:46", "not an instant"),
        ("auto", 1700158546, "give --timestamp-format epoch-s or epoch-ms"),
        ("auto", "0001-01-01T00:00:00+05:00", "out of range"),
        ("epoch-s", "2023-11-16", "not a number"),
        ("epoch-s", "1e300", "too large"),
        ("epoch-s", True, "not a number"),
        ("%Y", "23", "does not fit '%Y'"),
    ],
)
def test_what_is_no_instant_has_a_reason(pattern: str, value: Any, reason: str):
    with pytest.raises(BadValue) as refused:
        instant_reader(pattern, "UTC")(value)
    assert reason in str(refused.value)


def test_a_time_that_clocks_skipped_is_refused():
    with pytest.raises(BadValue, match=r"skipped in America/New_York"):
        instant_reader("auto", "America/New_York")("2023-03-12T02:30:00")


@pytest.mark.parametrize("pattern", ["", "yyyy-mm-dd", "%Q", "%Y %Y", "%"])
def test_a_pattern_that_can_fit_nothing_is_refused(pattern: str):
    with pytest.raises(InvalidInput, match="--timestamp-format"):
        instant_reader(pattern, "UTC")


FROM, TO = datetime(2000, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - hypothesis wants naive bounds
INSTANTS = st.datetimes(FROM, TO, timezones=st.just(UTC))


@given(INSTANTS, st.integers(0, 999), st.sampled_from("T "))
def test_digits_past_microseconds_are_cut_off_and_all_spellings_agree(moment: datetime, rest: int, between: str):
    text = moment.strftime(f"%Y-%m-%d{between}%H:%M:%S.%f") + f"{rest:03}"
    since = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert instant_reader("auto", "UTC")(text) == moment
    assert instant_reader("epoch-s", "UTC")(f"{since // 10**6}.{since % 10**6:06}{rest:03}") == moment
    assert instant_reader("epoch-ms", "UTC")(Decimal(since) / 1000 + Decimal(rest).scaleb(-6)) == moment
