"""Settings from the environment: `DATABASE_URL`, and `TALLYSTICK_…` for everything else."""

import os
from email.utils import parseaddr
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tallystick.core.errors import ConfigurationError
from tallystick.core.networks import Networks


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
    max_requests: int = Field(
        default=2000, ge=10, description="Requests that may be under way at once; further ones get 503."
    )
    max_streams: int = Field(
        default=2000, ge=0, description="Live streams that may be open at once; further ones get 503."
    )
    max_held_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024,
        description="Bytes of request bodies that may be held in memory at once; what is beyond gets 503.",
    )
    request_timeout_seconds: float = Field(
        default=30, gt=0, description="How long a request may take until its answer begins, before it gets 503."
    )
    rollup_interval_seconds: float = Field(
        default=0.5, gt=0, le=60, description="Pause between two roll-ups, in seconds."
    )
    check_patience_seconds: float = Field(
        default=0.25,
        gt=0,
        le=60,
        description="How long a check waits for the database before its metric's policy decides, in seconds.",
    )
    inbound_file: Path | None = Field(
        default=None, description="Settings file of inbound webhooks: who may send, and how payloads become events."
    )
    smtp_host: str | None = Field(default=None, description="Mail server that notifications are handed to.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to it is encrypted: by STARTTLS, from the start, or not."
    )
    smtp_username: str | None = Field(default=None, description="Name to log in to it with, if it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password to log in to it with.")
    smtp_sender: str = Field(
        default="Tallystick <tallystick@localhost>", description="Whom mail is from: an address, or a name and it."
    )
    notification_templates: Path | None = Field(
        default=None, description="Folder of templates that take the place of built-in ones of the same name."
    )
    notification_retention_days: int = Field(
        default=90, ge=1, le=36_500, description="How long messages that were sent or given up are kept, in days."
    )
    kafka_username: str | None = Field(default=None, description="Name that `consume` logs in to Kafka with (SASL).")
    kafka_password: SecretStr | None = Field(default=None, description="Password that `consume` logs in with.")
    stripe_api_key: SecretStr | None = Field(
        default=None, description="Secret key of the Stripe account that bills: sk_test_… or sk_live_…."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None, description="Signing secrets of Stripe's webhooks, separated by commas."
    )
    stripe_api_base: str | None = Field(
        default=None, description="Address in the place of Stripe's: of this machine, or with a test key alone."
    )
    stripe_sync_interval_seconds: float = Field(
        default=3600, gt=0, le=86_400, description="Seconds between two looks for usage that Stripe is to be told of."
    )
    stripe_grace_hours: float = Field(
        default=1,
        gt=0,
        le=72,
        description="How long Stripe keeps an invoice of a subscription a draft, as set in its Dashboard, in hours.",
    )
    embed_origins: str | None = Field(
        default=None,
        description="Sites that may show the portal in a frame, and whose pages may ask the API with a token: "
        "https://app.example.com, https://*.example.org.",
    )
    private_networks: str | None = Field(
        default=None,
        description="Networks that are not public and that webhooks, Slack and Apprise URLs may reach all the same: "
        "10.0.0.0/8, 192.168.7.20.",
    )

    @field_validator("smtp_sender")
    @classmethod
    def _sender(cls, text: str) -> str:
        if not text.isprintable() or "@" not in parseaddr(text)[1].strip("@"):
            raise ValueError(f"{text!r} is not a sender; write billing@example.com, or Billing <billing@example.com>")
        return text

    @field_validator("private_networks")
    @classmethod
    def _networks(cls, text: str | None) -> str | None:
        try:
            Networks.parse(text or "")
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
        return text
