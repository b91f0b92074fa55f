"""What the documentation tells people to type works, and answers what it shows.

The `sh` blocks of a page are run as one script, as a newcomer would type them: in an empty folder, on a data
folder that does not exist yet. Examples of the API reference are sent to a server one by one.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.test_server import Served, environment, serving, tallystick

ROOT = Path(__file__).resolve().parents[2]
API = ROOT / "docs" / "reference" / "api.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
QUICKSTART = "docs/quickstart.md"
BACKUP = "docs/how-to/backup.md"
STRIPE = "docs/how-to/stripe.md"
PATIENCE = 240
"""Seconds for a page; it takes about ten where nothing else runs."""

ANYTHING = "…"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl, which is not here")


class Block(NamedTuple):
    """A fenced block of a page."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(found["language"], found["text"]) for found in BLOCK.finditer(page.read_text(encoding="utf-8"))]


# --- Pages that are typed from top to bottom ------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def newcomer() -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty folder, and the environment of somebody who has only just installed Tallystick."""
    with tempfile.TemporaryDirectory(prefix="tallystick-docs-", ignore_cleanup_errors=True) as root:
        Path(root).chmod(0o755)  # PostgreSQL's user has to reach the data folder in it
        folder = Path(root) / "empty"
        folder.mkdir()
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        settings = {"TALLYSTICK_DATA_DIR": str(Path(root) / "data"), "TALLYSTICK_PORT": str(free_port())}
        yield folder, environment(None, PATH=path, **settings)


def script_of(*pages: str) -> str:
    """Every command of the pages, in order."""
    return "".join(block.text for page in pages for block in blocks(ROOT / page) if block.language == "sh")


def typed(script: str, folder: Path, variables: dict[str, str]) -> str:
    """What a terminal shows when the commands are typed one after the other."""
    script = script.replace("localhost:8080", f"localhost:{variables['TALLYSTICK_PORT']}")
    with subprocess.Popen(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # so that a server it leaves behind can be ended with it
    ) as shell:
        try:
            shown, _ = shell.communicate(timeout=PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, shown
    return shown


@needs_curl
def test_the_quickstart_works_as_it_is_typed(newcomer):
    shown = typed(script_of(QUICKSTART), *newcomer)
    answers = [block.text for block in blocks(ROOT / QUICKSTART) if block.language == "json"]
    for words in ["USD 132.50 so far", "no discrepancy", "USD 106.00, credits 0.00", "wrote INV-00001.pdf", *answers]:
        assert words.strip() in shown


@needs_curl
def test_the_first_use_in_the_readme_works_and_a_backup_of_it_can_be_restored(newcomer):
    folder, variables = newcomer
    [program] = [block.text for block in blocks(ROOT / BACKUP) if block.language == "python"]
    (folder / "with_database.py").write_text(program, encoding="utf-8")

    shown = typed(script_of("README.md", BACKUP), folder, variables)

    assert '{"accepted":1,"duplicates":0,"rejected":0,"errors":[]}' in shown
    assert "USD 130.00 so far" in shown
    restored = tallystick("events", "--team", "acme", "--data-dir", str(folder / "restored"), env=variables)
    assert restored.stdout.splitlines()[1].split("\t")[1:6] == ["acme", "api_call", "150000", "", "req-1"]


@needs_curl
def test_the_trial_of_stripe_without_stripe_works_as_it_is_typed(newcomer):
    folder, variables = newcomer
    shown = typed(script_of(STRIPE).replace("12111", str(free_port())), folder, variables)
    [bills] = [block.text for block in blocks(ROOT / STRIPE) if "00000000-0001" in block.text]
    assert bills in shown
    lines = [line.split("\t") for line in shown.splitlines()]
    [at] = [number for number, line in enumerate(lines) if line[:2] == ["team", "pending"]]
    standing = dict(zip(lines[at], lines[at + 1], strict=True))
    assert (standing["team"], standing["bills_open"], standing["bills_paid"]) == ("acme", "0", "1")


# --- The API reference ----------------------------------------------------------------------------


class Example(NamedTuple):
    """A request of the API reference, as a shell command, and the answer it shows."""

    command: str
    answer: str


def examples() -> list[Example]:
    """Every `sh` block that is followed by a `json` block, or by an `http` block with the first line of the answer."""
    pairs = pairwise(blocks(API))
    return [Example(a.text, b.text) for a, b in pairs if a.language == "sh" and b.language in ("json", "http")]


def difference(shown: object, real: object, where: str = "the answer") -> str | None:
    """Where an answer is not what the page shows; `…` stands for any value, as a key for any further ones."""
    match shown, real:
        case str(), _ if shown == ANYTHING:
            return None
        case dict(), dict():
            if ANYTHING not in shown and set(shown) != set(real):
                return f"{where} has the keys {sorted(real)}"
            named = (key for key in shown if key != ANYTHING)
            parts = (difference(shown[key], real.get(key), f"{where}.{key}") for key in named)
        case list(), list():
            if ANYTHING not in shown and len(shown) != len(real):
                return f"{where} has {len(real)} members"
            parts = (difference(*each, where) for each in zip(shown, real, strict=False))
        case _:
            return None if shown == real else f"{where} is {real!r}"
    return next((part for part in parts if part), None)


def wrongly(shown: str, said: str) -> str | None:
    """What the server says otherwise than the page shows."""
    if shown.startswith("HTTP/"):
        status = said.splitlines()[0]
        return None if status == shown.strip() else f"the answer begins with {status!r}"
    return difference(json.loads(shown), json.loads(said))


def answered(example: Example, served: Served, folder: Path) -> str:
    """What the server says to the example's command."""
    variables = environment(None, URL=served.url, KEY=served.key)
    done = subprocess.run(
        ["sh", "-eu", "-c", example.command],
        cwd=folder, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_curl
def test_the_api_answers_as_its_reference_shows(database_url, tmp_path):
    billing_file = next(block.text for block in blocks(API) if block.language == "yaml")
    (tmp_path / "tallystick.yaml").write_text(billing_file, encoding="utf-8")
    applied = tallystick("apply", str(tmp_path / "tallystick.yaml"), env=environment(database_url))
    assert applied.returncode == 0, applied.stderr
    with serving(database_url) as served:
        for example in examples():
            said = answered(example, served, tmp_path)
            wrong = wrongly(example.answer, said)
            assert wrong is None, f"{wrong}\n{example.command}\n{said}"


def test_every_route_is_in_the_api_reference(database_url):
    page = API.read_text(encoding="utf-8")
    with serving(database_url) as served:
        document = served.get("/openapi.json", served.key).json()
    routes = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    assert len(routes) > 20
    assert [route for route in routes if f"`{route}`" not in page] == []
