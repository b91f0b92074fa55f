"""What a newcomer gets wrong: each mistake gets one clear line, a non-zero exit code, and no traceback.

Everything runs as a process of its own, as it would from a terminal.
"""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.conftest import temporary_database
from tests.integration.test_server import serving

PATIENCE = 60


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`tallystick` with these arguments, in an environment that sets nothing else for it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_") and k != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-m", "tallystick", *arguments],
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def mistake(finished: subprocess.CompletedProcess[str]) -> str:
    """The one line that a mistake is answered with."""
    assert finished.returncode not in (0, 70), finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    lines = finished.stderr.splitlines()
    assert len(lines) == 1, finished.stderr
    return lines[0].removeprefix("error: ")


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


# --- Starting the server ------------------------------------------------------------------------------


def test_port_in_use(busy_port, tmp_path):
    said = mistake(run("serve", "--port", str(busy_port), "--data-dir", str(tmp_path / "data")))
    assert said == f"port {busy_port} on 127.0.0.1 is in use; stop what uses it, or choose another with --port"
    assert not (tmp_path / "data").exists(), "the port is looked at before a database is made"


def test_a_second_server_on_the_same_port(database_url):
    with serving(database_url) as first:
        port = str(first.address[1])
        assert "is in use" in mistake(run("serve", "--port", port, DATABASE_URL=database_url))
        assert first.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "no-such-host.invalid"), "there is no host 'no-such-host.invalid'"),
        (("--host", "192.0.2.1"), "this machine does not have the address 192.0.2.1"),
        (("--dev", "--host", "0.0.0.0"), "--dev asks for no key, so it can't listen on 0.0.0.0"),  # noqa: S104
        (("--dev", "--host", "::"), "--dev asks for no key, so it can't listen on ::"),
    ],
)
def test_an_address_that_can_not_be_listened_on(options, said, tmp_path):
    assert mistake(run("serve", "--data-dir", str(tmp_path / "data"), *options)).startswith(said)


# --- The API key ----------------------------------------------------------------------------------------


def test_wrong_key(database_url):
    with serving(database_url) as served:
        for key in ("tsk_0000000000_00000000000000000000000000000000", "sk_live_4242", ""):
            answer = httpx.get(served.url + "/api/keys", headers={"X-API-Key": key})
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "unauthorized"
        missing = httpx.get(served.url + "/api/keys")
        assert missing.json()["detail"] == "no API key was sent; send Authorization: Bearer tsk_…"


# --- The database -----------------------------------------------------------------------------------------

NEEDS_DATABASE = [("serve", "--port", "0"), ("keys", "list")]


@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_unreachable_database(command):
    said = mistake(run(*command, DATABASE_URL="postgresql://me:sesame@127.0.0.1:1/billing"))
    assert said.startswith("can't connect to PostgreSQL")
    assert "sesame" not in said


@pytest.mark.parametrize("url", ["not a url", "mysql://localhost/billing", "postgresql://[::1/billing", "5432"])
@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_malformed_database_url(command, url):
    assert "PostgreSQL" in mistake(run(*command, DATABASE_URL=url))


@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_database_of_a_newer_version(command, database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    said = mistake(run(*command, DATABASE_URL=database_url))
    assert "9999" in said
    assert "newer than this Tallystick" in said


@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_data_folder_that_is_a_file(command, tmp_path):
    folder = tmp_path / "data"
    folder.write_text("not a folder")
    said = mistake(run(*command, "--data-dir", str(folder)))
    assert said.startswith(f"the data folder {folder} can't be used")


@pytest.mark.parametrize("command", NEEDS_DATABASE)
def test_data_folder_that_can_not_be_written(command, tmp_path):
    folder = unwritable(tmp_path)
    said = mistake(run(*command, "--data-dir", str(folder)))
    assert str(folder) in said


def unwritable(tmp_path: Path) -> Path:
    """A folder that this user can't make; root is stopped only by the kernel's own file systems."""
    if os.geteuid() == 0:
        if not Path("/proc/self").exists():
            pytest.skip("root can write to every folder here")
        return Path("/proc/tallystick")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    return closed / "data"


# --- Settings and options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "value"),
    [("TALLYSTICK_PORT", "http"), ("TALLYSTICK_PORT", "70000"), ("TALLYSTICK_POOL_SIZE", "0")],
)
def test_setting_that_does_not_fit(variable, value):
    assert mistake(run("serve", **{variable: value})).startswith(f"{variable}: input should be")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sevre",), "no such command 'sevre'"),
        (("serve", "--prot", "80"), "no such option: --prot"),
        (("serve", "--port", "http"), "invalid value for '--port'"),
        (("serve", "--port", "70000"), "invalid value for '--port'"),
        (("serve", "extra"), "got unexpected extra argument"),
        (("keys", "crate"), "no such command 'crate'"),
        (("keys", "create", "--scope", "read"), "missing option '--name'"),
        (("keys", "create", "--name", "x"), "missing option '--scope'. Choose from: ingest, read, admin"),
        (("keys", "create", "--name", "x", "--scope", "root"), "invalid value for '--scope': 'root' is not one of"),
        (("keys", "revoke"), "missing argument 'ID'"),
    ],
)
def test_unknown_command_or_option(arguments, said):
    answered = mistake(run(*arguments))
    assert answered.startswith(said)
    assert answered.endswith("--help")


# --- Using it -----------------------------------------------------------------------------------------


def test_unknown_metric_or_team(database_url, tmp_path):
    (tmp_path / "t.yaml").write_text(
        "version: 1\nmetrics: {calls: {event: c, aggregation: sum, unit: call}}\nteams: {a: {}}\n"
    )
    assert run("apply", str(tmp_path / "t.yaml"), DATABASE_URL=database_url).returncode == 0
    said = mistake(run("report", "--team", "a", "--metric", "cals", DATABASE_URL=database_url))
    assert said == "there is no metric 'cals'; there are: calls"
    assert "there is no team 'b'" in mistake(run("report", "--team", "b", DATABASE_URL=database_url))


def test_bad_yaml(tmp_path):
    (tmp_path / "tallystick.yaml").write_text("version: 1\nmetrics: {calls: [}\n")
    said = mistake(run("validate", str(tmp_path / "tallystick.yaml")))
    assert said.startswith(f"{tmp_path}/tallystick.yaml:2:")


def test_every_mistake_in_a_billing_file_is_listed_with_its_line(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(
        "version: 1\nmetrics:\n  calls: {event: c, aggregation: summ, unit: call}\n  x: {aggregation: sum}\n"
    )
    finished = run("validate", str(path))
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert f"{path}:3: metrics.calls.aggregation: " in finished.stderr
    assert f"{path}:4: metrics.x" in finished.stderr


def test_a_file_that_is_not_there(tmp_path):
    assert "nowhere.csv" in mistake(run("import", str(tmp_path / "nowhere.csv"), "--team", "a", DATABASE_URL="x"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_full_disk_on_the_data_folder(tmp_path):
    small = Path(tempfile.mkdtemp(prefix="tallystick-small-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=755", "tmpfs", small], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        said = mistake(run("serve", "--port", "0", "--data-dir", str(small / "data")))
        assert str(small / "data") in said
        assert "MiB" in said
    finally:
        subprocess.run(["umount", "-l", small], check=True)
        small.rmdir()


def test_a_database_of_something_else(database_url, server_url):
    with temporary_database(server_url) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE prices (id integer)")
        said = mistake(run("events", DATABASE_URL=url))
        assert "holds something else already" in said
        with psycopg.connect(url) as connection:
            connection.execute("SELECT FROM prices")
            with pytest.raises(psycopg.errors.UndefinedTable):
                connection.execute("SELECT FROM teams")
