"""`tallystick demo`: the product at work in a minute, on data of its own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tallystick.billing.report import Report
    from tallystick.core.settings import Settings
    from tallystick.storage.database import Database

BATCH = 1000
STARTING = timedelta(seconds=120)


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(demo)


def demo(
    *,
    events: Annotated[int, typer.Option(min=100, max=10_000_000, help="About how many events to send.")] = 40_000,
    keep: Annotated[
        bool | None,
        typer.Option("--keep/--exit", help="Go on serving afterwards. Default: in a terminal, until Ctrl-C."),
    ] = None,
    stripe: Annotated[
        bool, typer.Option(help="Close a month with a fake of Stripe as well, in peace and while everything fails.")
    ] = True,
    data_dir: DataDir = None,
) -> None:
    """Start a server, meter a month of several teams' traffic, show what each owes, and close a month with Stripe.

    It has a data folder of its own. With DATABASE_URL it uses that database, if nothing but the demo is in it.
    """
    settings = settings_from(data_dir=data_dir or _folder())
    run_with_database(_apply_catalogue, settings)
    with _server(settings) as url:
        _send_traffic(url, events)
        _show_reports(settings)
        if stripe:
            _settle(settings)
        output.show(f"\nThe dashboard:                 {_dashboard(url)}")
        output.show(f"The API and its documentation: {url}/docs   (dev mode: no key is needed on this machine)")
        output.show("Next: docs/quickstart.md makes it yours in ten lines.")
        if sys.stdout.isatty() if keep is None else keep:
            _open(url)
            output.show("Serving until Ctrl-C …")
            _wait_for_interrupt()


def _dashboard(url: str) -> str:
    """Where it is, or why it is not there."""
    from tallystick.web.assets import is_built

    return f"{url}/" if is_built() else "not built; `make web` in a clone of the project builds it"


def _open(url: str) -> None:
    """Show the dashboard where somebody sits in front of a screen."""
    import webbrowser

    from tallystick.web.assets import is_built

    seen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if seen and is_built() and sys.stdout.isatty():
        webbrowser.open(f"{url}/")


def _folder() -> "Path":
    from tallystick.core.settings import Settings, default_data_dir

    chosen = Settings().data_dir
    return chosen.with_name("tallystick-demo") if chosen == default_data_dir() else chosen


async def _apply_catalogue(database: "Database") -> None:
    from tallystick.catalog import service
    from tallystick.catalog.loading import parse
    from tallystick.core.clock import SystemClock

    source = files(__package__).joinpath("catalogue.yaml").read_text(encoding="utf-8")
    applied = await service.export(database)
    if applied is not None and applied != source:
        raise ConfigurationError("this database has a catalogue of its own; run the demo on an empty one")
    await service.apply(database, parse(source, "the demo's catalogue"), SystemClock())


@contextmanager
def _server(settings: "Settings") -> Iterator[str]:
    """A server process in dev mode on a free port, stopped at the end."""
    environment = {**os.environ, "TALLYSTICK_DATA_DIR": str(settings.data_dir)}
    port = _free_port(settings.port)
    command = [sys.executable, "-m", "tallystick", "serve", "--dev", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--log-level", "warning"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603 - our own program
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait()


def _free_port(preferred: int) -> int:
    import socket

    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError("no port is free on 127.0.0.1")


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: IO[bytes]) -> None:
    import httpx

    deadline = time.monotonic() + STARTING.total_seconds()
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/health/ready", timeout=5).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    log.seek(0)
    said = log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
    raise StorageError(f"the demo's server did not start: {said[-1]}")


def _send_traffic(url: str, events: int) -> None:
    import httpx

    from tallystick.cli.demo.traffic import traffic

    now = datetime.now(UTC)
    output.show(f"Sending about {events:,} events of 5 teams, the last 30 days, in batches of {BATCH:,} …")
    began = time.monotonic()
    accepted = duplicates = 0
    with httpx.Client(base_url=url, timeout=60) as client:
        batch = []
        for event in traffic(now - timedelta(days=30), now, events):
            batch.append(event)
            if len(batch) == BATCH:
                accepted, duplicates = _send(client, batch, accepted, duplicates)
                batch = []
        if batch:
            accepted, duplicates = _send(client, batch, accepted, duplicates)
    seconds = time.monotonic() - began
    output.show(
        f"{accepted:,} events stored in {seconds:.1f} s, each durable before it was acknowledged; "
        f"{duplicates:,} were there already and count once."
    )


def _send(client: "httpx.Client", batch: list[dict[str, object]], accepted: int, duplicates: int) -> tuple[int, int]:
    answer = client.post("/api/usage/track", json=batch)
    answer.raise_for_status()
    became = answer.json()
    return accepted + int(became["accepted"]), duplicates + int(became["duplicates"])


def _show_reports(settings: "Settings") -> None:
    from tallystick.billing.report import ReportRequest
    from tallystick.cli.demo.traffic import SHARES
    from tallystick.cli.report import read_report, show_current
    from tallystick.core.clock import Window

    async def read(database: "Database") -> "list[Report]":
        return [await read_report(database, ReportRequest(team, window=Window.MONTH)) for team in SHARES]

    for report in run_with_database(read, settings):
        output.note("")
        show_current(report, drawn=True)


def _settle(settings: "Settings") -> None:
    """A month of its own, in databases of its own on the same server."""
    from tallystick.cli.demo.settling import settle

    async def url(database: "Database") -> str:
        return database.url

    try:
        settle(run_with_database(url, settings))
    except StorageError as error:
        output.note(f"The month with Stripe is left out: {error}")


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        output.show("")
