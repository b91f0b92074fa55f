"""`tallystick consume`: usage from Kafka topics."""

import asyncio
import logging
import signal
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.cli.import_files import SHOWN_PROBLEMS
from tallystick.cli.row_options import CreateTeams
from tallystick.integrations.kafka.models import Format, Mechanism, Security

if TYPE_CHECKING:
    from tallystick.core.settings import Settings
    from tallystick.integrations.kafka.models import Reading, Subscription
    from tallystick.integrations.kafka.source import Stored
    from tallystick.storage.database import Database


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(consume)


def consume(
    *,
    kafka: Annotated[str, typer.Option(metavar="HOST:PORT,…", help="Brokers of the Kafka cluster; some are enough.")],
    topic: Annotated[list[str], typer.Option(help="Topic to read. Repeatable.")],
    group: Annotated[
        str, typer.Option(help="Consumer group: its members share the topics' partitions.")
    ] = "tallystick",
    format: Annotated[
        Format,
        typer.Option(
            help="What messages are: event (as POST /api/usage/track takes it), cloudevent, or auto: each tells itself."
        ),
    ] = Format.AUTO,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=ORIGIN",
            help="Take a field that a message's value does not have from its key, its topic or a header: "
            "team_id=key, event_name=topic, idempotency_key=header:request-id. Repeatable.",
        ),
    ] = None,
    from_end: Annotated[
        bool,
        typer.Option("--from-end", help="Where the group has read nothing yet, begin with what comes from now on."),
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop when everything that is there has been read.")] = False,
    security: Annotated[
        Security,
        typer.Option(help="How brokers are spoken to; sasl-… logs in by TALLYSTICK_KAFKA_USERNAME and …_PASSWORD."),
    ] = Security.PLAINTEXT,
    sasl_mechanism: Annotated[Mechanism, typer.Option(help="How it logs in.")] = Mechanism.PLAIN,
    ca_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Certificates to check brokers with. Default: the system's.")
    ] = None,
    source_id: Annotated[
        str,
        typer.Option(
            help="Name of the cluster in the keys of events that have none, where topics of two clusters share names."
        ),
    ] = "",
    create_teams: CreateTeams = False,
    data_dir: DataDir = None,
) -> None:
    """Read usage from Kafka topics, each message once.

    A message that is no event becomes a dead letter and stops nothing. SIGTERM or Ctrl-C stops it.
    """
    from tallystick.integrations.kafka.models import Reading, Subscription, parse_fields

    _check_installed()
    settings = settings_from(data_dir=data_dir, auto_register_teams=create_teams or None)
    password = settings.kafka_password
    subscription = Subscription(
        [server.strip() for server in kafka.split(",") if server.strip()],
        topic,
        group,
        from_end=from_end,
        security=security,
        mechanism=sasl_mechanism,
        ca_file=ca_file,
        username=settings.kafka_username,
        password=password.get_secret_value() if password else None,
    )
    reading = Reading(format, parse_fields(field or []), source_id)
    tally = run_with_database(lambda database: _run(database, settings, subscription, reading, once=once), settings)
    output.show(f"{tally.accepted} events stored, {tally.duplicates} were there already")
    if tally.refused:
        output.note(f"{tally.refused} were refused and kept as dead letters")


def _check_installed() -> None:
    from importlib.util import find_spec

    from tallystick.core.errors import ConfigurationError

    if find_spec("aiokafka") is None:
        raise ConfigurationError("reading from Kafka needs more: pip install 'tallystick[kafka]'")


class _NowAndThen(logging.Handler):
    """Tells what the Kafka client logs: it repeats itself with every attempt, this does once a minute."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._told: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, unless it was told just now."""
        text, now = " ".join(record.getMessage().split()), time.monotonic()
        if now - self._told.get(text, -60) >= 60:
            self._told = {told: at for told, at in self._told.items() if now - at < 60} | {text: now}
            output.note(f"Kafka: {text}")


class _Tally:
    """What became of the events so far."""

    def __init__(self) -> None:
        self.accepted = self.duplicates = self.refused = 0

    def add(self, stored: "Stored") -> None:
        """Count some; say what is wrong with the first that were refused."""
        self.accepted += stored.outcome.accepted
        self.duplicates += stored.outcome.duplicates
        for rejected in stored.outcome.rejections:
            self.refused += 1
            if self.refused <= SHOWN_PROBLEMS:
                output.note(f"{stored.places[rejected.position].place}: {rejected.message}")
            if self.refused == SHOWN_PROBLEMS:
                output.note("what is refused from now on is not shown here; tallystick dead-letters has it all")


async def _run(
    database: "Database", settings: "Settings", subscription: "Subscription", reading: "Reading", *, once: bool
) -> _Tally:
    from tallystick.billing.teams.registration import register_teams
    from tallystick.core.clock import SystemClock
    from tallystick.integrations.kafka.source import KafkaSource
    from tallystick.metering.service import Metering

    tally, stop = _Tally(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    register = register_teams if settings.auto_register_teams else None
    logging.getLogger("aiokafka").addHandler(_NowAndThen())
    output.note(f"reading {', '.join(subscription.topics)} as {subscription.group}")
    async with Metering.open(database, settings, SystemClock(), register) as metering:
        await KafkaSource(subscription, reading, metering, tally.add, output.note).run(stop, once=once)
    return tally
