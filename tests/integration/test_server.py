"""`tallystick serve` and `tallystick keys` as processes of their own, over real HTTP."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

COMMAND = (sys.executable, "-m", "tallystick")
TOKEN = re.compile(r"tsk_\w+")
READY = re.compile(r"is ready at (http://\S+)")
PATIENCE = 60


@dataclass
class Served:
    """A running server: where it is, what it printed until it was ready, and its process."""

    url: str
    printed: str
    process: subprocess.Popen[str]

    @property
    def key(self) -> str:
        """The admin key that the first start printed."""
        found = TOKEN.search(self.printed)
        assert found, self.printed
        return found[0]

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.url)
        assert url.port
        return url.host, url.port

    def get(self, path: str, key: str | None = None) -> httpx.Response:
        return httpx.get(self.url + path, headers={"Authorization": f"Bearer {key}"} if key else {})

    def stop(self, signum: int = signal.SIGTERM) -> int:
        self.process.send_signal(signum)
        return self.process.wait(PATIENCE)


def environment(database_url: str | None, **more: str) -> dict[str, str]:
    """This process's environment without what the developer set for Tallystick, with what the test sets."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_") and k != "DATABASE_URL"}
    return own | more | ({"DATABASE_URL": database_url} if database_url else {})


def tallystick(*arguments: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def serving(database_url: str, *options: str, **more: str) -> Iterator[Served]:
    """A server on a free port, until the block ends."""
    command: Sequence[str] = [*COMMAND, "serve", "--port", "0", *options]
    process = subprocess.Popen(
        command, env=environment(database_url, **more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        printed = ""
        while not (ready := READY.search(printed)):
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"the server ended: {printed}{process.stderr.read()}")
            printed += line
        yield Served(ready[1], printed, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


# --- Starting ---------------------------------------------------------------------------------------


def test_the_first_start_prints_an_admin_key_and_the_next_one_does_not(database_url):
    with serving(database_url) as first:
        assert "API documentation: " + first.url + "/docs" in first.printed
        assert first.get("/api/keys", first.key).status_code == 200
        key = first.key
        assert first.stop() == 0
    with serving(database_url) as second:
        assert not TOKEN.search(second.printed)
        assert second.get("/api/keys", key).status_code == 200
        assert second.stop() == 0


def test_dev_mode_needs_no_key_and_makes_none(database_url):
    with serving(database_url, "--dev") as served:
        assert not TOKEN.search(served.printed)
        assert "only this machine" in served.printed
        assert served.get("/api/keys").json() == {"data": [], "next_cursor": None}
        rebound = httpx.get(served.url + "/api/keys", headers={"Host": "attacker.example"})
        assert rebound.status_code == 403
        forwarded = httpx.get(served.url + "/api/keys", headers={"X-Forwarded-For": "127.0.0.1", "Host": "x"})
        assert forwarded.status_code == 403


def test_localhost_is_served_on_each_of_its_addresses(database_url):
    with serving(database_url, "--dev", "--host", "localhost") as served:
        port = served.address[1]
        for family, _, _, _, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
            with socket.socket(family, socket.SOCK_STREAM) as connection:
                connection.connect(address)


def test_requests_are_logged_only_on_demand_and_never_with_their_key(database_url):
    for options, expected in ((), False), (("--access-log",), True):
        with serving(database_url, "--dev", *options) as served:
            served.get("/api/keys?limit=7", "tsk_secret")
            served.process.terminate()
            _, log = served.process.communicate(timeout=PATIENCE)
        assert ("limit=7" in log) is expected
        assert "tsk_secret" not in log


# --- Stopping ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_the_server_ends(database_url, signum):
    body = b'{"name": "made while stopping", "scopes": ["read"]}'
    with serving(database_url) as served:
        head = (
            f"POST /api/keys HTTP/1.1\r\nHost: {served.address[0]}\r\nAuthorization: Bearer {served.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(served.address, timeout=PATIENCE) as connection:
            connection.sendall(head.encode() + body[:10])
            time.sleep(0.3)
            served.process.send_signal(signum)
            wait_until_closed(served.address)
            assert served.process.poll() is None
            connection.sendall(body[10:])
            answer = connection.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 201")
        assert served.process.wait(PATIENCE) == 0
        assert served.process.stderr is not None
        assert "Traceback" not in served.process.stderr.read()
    listed = tallystick("keys", "list", env=environment(database_url)).stdout
    assert "made while stopping" in listed


def wait_until_closed(address: tuple[str, int]) -> None:
    """Until nobody listens there any more."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError("the server still accepts connections")


def test_an_idle_connection_does_not_hold_the_server_up(database_url):
    with serving(database_url) as served, httpx.Client(base_url=served.url) as client:
        client.get("/health")
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 10


def test_a_second_signal_waits_for_nobody(database_url):
    with serving(database_url) as served, socket.create_connection(served.address) as connection:
        head = (
            f"POST /api/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {served.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n"
        )
        connection.sendall(head.encode())
        time.sleep(0.3)
        served.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert served.process.poll() is None
        assert served.stop(signal.SIGINT) == 0


# --- Keys from the command line ----------------------------------------------------------------------


def test_a_key_from_the_command_line_is_printed_alone_so_that_a_script_can_take_it(database_url):
    env = environment(database_url)
    made = tallystick("keys", "create", "--name", "gateway", "--scope", "ingest", "--scope", "read", env=env)
    assert (made.returncode, TOKEN.fullmatch(made.stdout.strip()) is not None) == (0, True)
    assert "only time the key is shown" in made.stderr
    listed = tallystick("keys", "list", env=env).stdout.splitlines()
    assert listed[0] == "id\tname\tscopes\tteam\tcreated\trevoked"
    assert listed[1].split("\t")[1:4] == ["gateway", "ingest, read", "all"]


def test_a_key_revoked_on_the_command_line_is_refused_within_two_seconds(database_url):
    env = environment(database_url)
    key = tallystick("keys", "create", "--name", "ops", "--scope", "admin", env=env).stdout.strip()
    with serving(database_url) as served:
        assert served.get("/api/keys", key).status_code == 200
        revoked = tallystick("keys", "revoke", key.split("_")[1], env=env)
        assert revoked.returncode == 0
        ended = time.monotonic()
        while served.get("/api/keys", key).status_code == 200:
            assert time.monotonic() - ended < 2.5
            time.sleep(0.05)
        assert "was revoked" in served.get("/api/keys", key).json()["detail"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", "--name", "x", "--scope", "read", "--team", "nobody"), "there is no team 'nobody'"),
        (("create", "--name", "x", "--scope", "admin", "--team", "acme"), "the scope admin is for every team"),
        (("create", "--name", "", "--scope", "read"), "a key's name has 1 to 200 printable characters"),
        (("revoke", "0000000000"), "there is no API key '0000000000'"),
    ],
)
def test_a_key_that_makes_no_sense_is_one_line_on_the_command_line(database_url, arguments, message):
    found = tallystick("keys", *arguments, env=environment(database_url))
    assert found.returncode != 0
    assert found.stderr.startswith(f"error: {message}")
    assert len(found.stderr.splitlines()) == 1


# --- What every command does -------------------------------------------------------------------------


def test_the_version_is_told():
    assert tallystick("--version", env=environment(None)).stdout.startswith("tallystick ")


def test_help_costs_no_server_to_load(tmp_path: Path):
    report = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tallystick", "--help"],
        env=environment(None),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stderr
    for heavy in ("fastapi", "uvicorn", "psycopg", "sqlalchemy", "pydantic"):
        assert not re.search(rf"\| +{heavy}$", report, re.MULTILINE), heavy


def test_a_reader_that_leaves_early_is_no_error(database_url):
    env = environment(database_url)
    listing = subprocess.Popen(
        [*COMMAND, "keys", "list"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert listing.stdout is not None
    assert listing.stderr is not None
    listing.stdout.close()
    listing.wait(PATIENCE)
    with listing.stderr as said:
        assert "Traceback" not in said.read()


def test_a_traceback_is_shown_on_demand_alone(database_url):
    quiet = tallystick("keys", "revoke", "0000000000", env=environment(database_url))
    loud = tallystick("keys", "revoke", "0000000000", env=environment(database_url, TALLYSTICK_DEBUG="1"))
    assert "Traceback" not in quiet.stderr
    assert "Traceback" in loud.stderr
    assert loud.stderr.splitlines()[-1] == quiet.stderr.splitlines()[-1]
