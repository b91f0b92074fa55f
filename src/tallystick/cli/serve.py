"""`tallystick serve`: the API and its background work in one process."""

import logging
import socket
import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick import __version__
from tallystick.cli import DataDir, output, settings_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tallystick.api.server import Background
    from tallystick.http.keys.models import NewApiKey


class LogLevel(StrEnum):
    """How much the server says on standard error."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(serve)


def serve(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on; 0: a free one.", show_default="8080"),
    ] = None,
    dev: Annotated[bool, typer.Option("--dev", help="Ask for no API key; answer this machine alone.")] = False,
    data_dir: DataDir = None,
    log_level: Annotated[LogLevel, typer.Option(help="How much to log on standard error.")] = LogLevel.INFO,
    access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
) -> None:
    """Run the server. The first start makes an admin key and prints it, once.

    SIGTERM or Ctrl-C stops it: requests that are under way are finished first.
    """
    from tallystick.api.server import Run, run
    from tallystick.api.sockets import listen

    _configure_logging(log_level, access_log=access_log)
    settings = settings_from(host=host, port=port, data_dir=data_dir)
    sockets = listen(settings.host, settings.port, loopback_only=dev)
    try:
        run(
            Run(
                settings=settings,
                sockets=sockets,
                dev=dev,
                access_log=access_log,
                background=_background(),
                on_first_key=_show_first_key,
                on_ready=lambda: _show_ready(settings.host, sockets[0], dev=dev),
            )
        )
    finally:
        for each in sockets:
            each.close()


def _background() -> "Sequence[Background]":
    """What runs beside the requests."""
    from tallystick.alerts.service import Alerts
    from tallystick.billing.credits.service import Credits
    from tallystick.billing.current import Present
    from tallystick.enforcement.service import Enforcement
    from tallystick.overview.keeping import Keeper
    from tallystick.worker.loops import running

    return (
        lambda state: running(
            state.metering,
            state.clock,
            state.settings.rollup_interval_seconds,
            closing=state.billing.closing,
            credits=Credits(state.database, state.clock),
            alerts=Alerts.open(state.database, state.metering, state.billing, state.clock),
            notifications=state.notifications,
            enforcement=Enforcement(state.database, state.metering.usage, state.metering.store, state.clock),
            provider=state.provider,
            overview=Keeper(state.database, Present(state.database, state.metering.usage), state.clock),
            sync_interval=state.settings.stripe_sync_interval_seconds,
        ),
    )


def _configure_logging(level: LogLevel, *, access_log: bool) -> None:
    form = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(form)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    if level is not LogLevel.DEBUG:
        for chatty in ("uvicorn.error", "alembic"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
    if access_log:
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)


def _show_first_key(first: "NewApiKey") -> None:
    output.show(
        "\nThis is the first start. Here is an admin key, shown this once: only a hash of it is kept.\n\n"
        f"    {first.token}\n\n"
        "Send it as `Authorization: Bearer <key>`; `tallystick keys create` makes lesser ones.\n"
    )


def _show_ready(host: str, listening: socket.socket, *, dev: bool) -> None:
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - only shown
    url = f"http://{f'[{name}]' if ':' in name else name}:{listening.getsockname()[1]}"
    if dev:
        output.show("Dev mode: no API key is needed, and only this machine is answered.")
    output.show(f"Tallystick {__version__} is ready at {url}  (API documentation: {url}/docs)")
