"""What the application consists of while it runs: made once, before the first request."""

from dataclasses import dataclass
from typing import Self

from tallystick.core.clock import Clock, SystemClock
from tallystick.core.settings import Settings
from tallystick.http.keys.service import KeyService
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class AppState:
    """The parts that endpoints and background loops work with.

    An endpoint finds each of them under its name here in `request.app.state`.

    Attributes:
        settings: how this installation runs.
        database: open; whoever opened it closes it.
        clock: where "now" comes from.
        keys: API keys.
        dev: ask for no key, and answer this machine alone.
    """

    settings: Settings
    database: Database
    clock: Clock
    keys: KeyService
    dev: bool = False

    @classmethod
    def build(
        cls, settings: Settings, database: Database, clock: Clock | None = None, *, dev: bool = False
    ) -> Self:
        """Every service on this database. The clock is the system's unless another is given."""
        clock = clock or SystemClock()
        return cls(
            settings=settings, database=database, clock=clock, keys=KeyService(database, clock), dev=dev
        )
