"""Access logs in the common and combined formats: a line is a request, and its bytes are exact."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.importing import Format, ImportOptions, open_source
from tallystick.importing.access_log import parse
from tests.unit.importing.files import events, problems, rows, total, write

COMMON = '203.0.113.9 - alice [17/May/2015:10:05:03 +0200] "GET /a?b=c HTTP/1.1" 200 2326'
COMBINED = COMMON + ' "https://example.com/start" "Mozilla/5.0 (X11)"'


def test_a_combined_line_is_an_event_with_all_its_fields(tmp_path: Path):
    [event] = events(write(tmp_path / "access.log", COMBINED + "\n"), team="acme")
    assert event == {
        "team_id": "acme",
        "event_name": "http_request",
        "quantity": Decimal(1),
        "timestamp": datetime(2015, 5, 17, 8, 5, 3, tzinfo=UTC),
        "metadata": {
            "remote_addr": "203.0.113.9",
            "remote_user": "alice",
            "method": "GET",
            "path": "/a?b=c",
            "protocol": "HTTP/1.1",
            "status": 200,
            "bytes": 2326,
            "referrer": "https://example.com/start",
            "user_agent": "Mozilla/5.0 (X11)",
        },
        "idempotency_key": "access.log:1",
    }


def test_a_common_line_has_neither_referrer_nor_user_agent(tmp_path: Path):
    [event] = events(write(tmp_path / "access.log", COMMON), team="acme")
    assert not event["metadata"].keys() & {"referrer", "user_agent", "extra"}


def test_team_name_and_quantity_come_from_fields_when_asked(tmp_path: Path):
    path = write(tmp_path / "access.log", COMBINED)
    [event] = events(path, team_column="remote_user", event_column="method", quantity_column="bytes", unit="byte")
    assert (event["team_id"], event["event_name"], event["quantity"], event["unit"]) == (
        "alice",
        "GET",
        Decimal(2326),
        "byte",
    )


def test_a_dash_for_a_size_is_zero_and_elsewhere_nothing(tmp_path: Path):
    line = '::1 - - [01/Mar/2026:00:00:00 +0000] "-" 408 - "-" "-"\n'
    path = write(tmp_path / "access.log", line)
    [event] = events(path, team="acme", quantity_column="bytes")
    assert (event["quantity"], event["metadata"]) == (0, {"remote_addr": "::1", "status": 408})


@pytest.mark.parametrize(
    ("quoted", "meant"),
    [
        (r"say \"hi\"", 'say "hi"'),
        (r"back\\slash", "back\\slash"),
        (r"caf\xc3\xa9", "café"),
        (r"latin \xe9", r"latin \xe9"),
        (r"nul \x00", r"nul \x00"),
        (r"tab\t \q", "tab\t \\q"),
        (r"ends with \\", "ends with \\"),
        ("[brackets] - 200", "[brackets] - 200"),
    ],
)
def test_escapes_in_quotes_are_undone(quoted: str, meant: str):
    assert parse(f'{COMMON} "-" "{quoted}"')["user_agent"] == meant


@pytest.mark.parametrize(
    ("request_line", "expected"),
    [
        ("GET / HTTP/2.0", {"method": "GET", "path": "/", "protocol": "HTTP/2.0"}),
        ("GET /a b c HTTP/1.0", {"method": "GET", "path": "/a b c", "protocol": "HTTP/1.0"}),
        ("GET /", {"request": "GET /"}),
        (r"\x16\x03\x01", {"request": "\x16\x03\x01"}),
        ("-", {}),
        ("", {}),
    ],
)
def test_a_request_of_any_shape_counts(request_line: str, expected: dict):
    found = parse(f'1.2.3.4 - - [01/Mar/2026:00:00:00 +0000] "{request_line}" 400 0')
    assert {name: found[name] for name in found.keys() & {"method", "path", "protocol", "request"}} == expected


def test_what_follows_the_user_agent_is_kept():
    assert parse(COMBINED + ' "10.0.0.1" rt=0.003')["extra"] == '"10.0.0.1" rt=0.003'


def test_a_user_name_may_hold_spaces_and_brackets():
    found = parse('1.2.3.4 - a [b] c [01/Mar/2026:00:00:00 -0730] "GET / HTTP/1.1" 200 1')
    assert found["remote_user"] == "a [b] c"
    assert found["timestamp"] == datetime(2026, 3, 1, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"nonsense", "not a line of the common or combined log format"),
        (COMBINED.encode()[:60], "not a line of the common or combined log format"),
        (COMBINED.replace("17/May/2015", "31/Feb/2015").encode(), "day is out of range"),
        (COMBINED.replace("May", "Mai").encode(), "is not like 17/May/2015:10:05:03 +0000"),
        (COMBINED.replace("+0200", "+9900").encode(), "time"),
        (COMBINED.replace("X11", "\0").encode(), "NUL"),
        (COMBINED.encode().replace(b"X11", b"\xff"), "not valid UTF-8"),
        (b"a b c" + b" [" * 200_000, "not a line of the common or combined log format"),
    ],
)
def test_a_broken_line_is_a_problem_and_nothing_else_is_lost(tmp_path: Path, line: bytes, reason: str):
    path = write(tmp_path / "access.log", b"\n".join([COMBINED.encode(), line, b"", COMMON.encode(), b""]))
    found = rows(path, team="acme", format="access-log")
    assert [row.position for row in found] == [1, 2, 4]
    assert [(row.position, row.raw) for row in found if row.problem] == [(2, line)]
    [(_, message)] = problems(path, team="acme", format="access-log")
    assert reason in message
    assert total([row.event for row in found if row.event]) == 2


def test_a_log_is_known_by_its_content_whatever_its_name(tmp_path: Path):
    with open_source(write(tmp_path / "access.log.1", COMMON), ImportOptions(team="acme")) as source:
        assert source.format is Format.ACCESS_LOG
