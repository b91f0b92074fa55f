"""Whatever bytes a file holds, it gives rows, problems or one line of refusal: never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.core.errors import InvalidInput
from tests.unit.importing.files import DAY, rows, write

MARKS = [b"\n", b"\r", b'"', b",", b";", b"{", b"}", b"[", b"\\", b"\0", b"\xff", b"1e9", b"-"]
STARTS = [
    b'{"timestamp":"' + DAY.encode(),
    b"timestamp,quantity\n",
    b'1.2.3.4 - - [01/Mar/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5',
]
PIECES = st.sampled_from([*MARKS, *STARTS])
CONTENT = st.lists(PIECES | st.binary(max_size=8), max_size=30).map(b"".join)


@pytest.mark.parametrize("layout", ["auto", "ndjson", "csv", "access-log", "parquet"])
@given(content=CONTENT, packed=st.booleans(), identity=st.sampled_from(["position", "content"]))
@example(content=b'"' + b"x" * 300_000, packed=False, identity="position")
@example(content=b'"\n"', packed=False, identity="position")
@example(content=b"[" * 200_000 + b"\n", packed=True, identity="content")
def test_any_content_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, layout: str, content: bytes, packed: bool, identity: str
):
    path = write(tmp_path_factory.mktemp("r") / "u", content, packed=packed)
    found, message = [], f"{path}: read"
    try:
        found = rows(path, format=layout, team="a", event="e", identity=identity)
    except InvalidInput as refused:
        message = str(refused)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert all((row.event is None) != (row.problem is None) for row in found)
    assert all("\n" not in row.problem.message for row in found if row.problem)
    positions = [row.position for row in found]
    assert positions == sorted(set(positions))


def test_pyarrow_is_loaded_for_parquet_only(tmp_path: Path):
    path = write(tmp_path / "u.csv", f"timestamp\n{DAY}\n")
    program = (
        "import sys; from tallystick.importing import ImportOptions, open_source; "
        "print(len(list(open_source(sys.argv[1], ImportOptions(team='a', event='e')))), 'pyarrow' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "False"]
