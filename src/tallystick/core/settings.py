"""Settings from the environment: `DATABASE_URL`, and `TALLYSTICK_…` for everything else."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """`/var/lib/tallystick` for root, else `tallystick` in the user's XDG data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/tallystick")
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "tallystick"


class Settings(BaseSettings):
    """How one installation runs. Every field is an environment variable of the given name."""

    model_config = SettingsConfigDict(env_prefix="TALLYSTICK_", extra="ignore", populate_by_name=True)

    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL 15 or newer to use instead of the embedded one: postgresql://user:password@host/name.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded PostgreSQL. "
        "Default: /var/lib/tallystick for root, else ~/.local/share/tallystick.",
    )
    host: str = Field(default="127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port that `serve` listens on; 0 takes a free one.")
    pool_size: int = Field(default=10, ge=3, le=200, description="PostgreSQL connections of one server process.")
    auto_register_teams: bool = Field(
        default=False,
        description="Create a team when its first event arrives, instead of rejecting the event.",
    )
    future_tolerance_seconds: int = Field(
        default=3600,
        ge=0,
        description="How far ahead of the server's clock an event's timestamp may lie, in seconds.",
    )
    max_batch_events: int = Field(default=10_000, ge=1, le=100_000, description="Most events in one request.")
    max_body_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="Largest request body after decompression, in bytes."
    )
    ingest_queue_events: int = Field(
        default=50_000, ge=1, description="Events that may wait for a commit before new requests get 503."
    )
    rollup_interval_seconds: float = Field(
        default=0.5, gt=0, le=60, description="Pause between two roll-ups, in seconds."
    )
