"""`tallystick serve` as a process of its own, and what it has stored."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

READY = re.compile(r"is ready at (http://\S+)")


@dataclass(frozen=True)
class Server:
    """Where the server is, and its database."""

    url: str
    database_url: str

    @classmethod
    @contextmanager
    def running(cls, database_url: str) -> Iterator["Server"]:
        """A server on a free port, until the block ends."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
        environment = {**own, "DATABASE_URL": database_url, "TALLYSTICK_AUTO_REGISTER_TEAMS": "true"}
        command = [sys.executable, "-m", "tallystick", "serve", "--dev", "--port", "0"]
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout
        try:
            printed = ""
            while not (ready := READY.search(printed)):
                line = process.stdout.readline()
                assert line, f"the server ended: {printed}"
                printed += line
            yield cls(ready[1], database_url)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()

    def stored(self, team: str) -> list[str]:
        """The keys of a team's events, each as often as it is stored."""
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT idempotency_key FROM usage_events WHERE team_id = %s", [team])
            return [key for (key,) in rows]
