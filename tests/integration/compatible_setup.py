"""What tests with other systems' clients share: a server process with metrics, and what it has counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import temporary_database
from tests.integration.test_server import environment, serving, tallystick


@dataclass(frozen=True, slots=True)
class Compatible:
    """A running server that makes a team of whoever sends events."""

    url: str
    key: str

    def get(self, path: str, **query: Any) -> Any:
        """The answer to a question of our own API."""
        answer = httpx.get(self.url + path, params=query, headers={"Authorization": f"Bearer {self.key}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self, team_id: str) -> list[dict[str, Any]]:
        """The events of a team, newest first."""
        return list(self.get("/api/usage/events", team_id=team_id)["data"])


@contextmanager
def compatible(server_url: str, template: str, billing_file: Path) -> Iterator[Compatible]:
    """A server on a database of its own, with the metrics of the billing file."""
    with temporary_database(server_url, template) as database_url:
        env = environment(database_url, TALLYSTICK_AUTO_REGISTER_TEAMS="true")
        applied = tallystick("apply", str(billing_file), env=env)
        assert applied.returncode == 0, applied.stderr
        with serving(database_url, TALLYSTICK_AUTO_REGISTER_TEAMS="true") as served:
            yield Compatible(served.url, served.key)
            served.stop()
