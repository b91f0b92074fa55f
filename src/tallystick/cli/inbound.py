"""`tallystick inbound`: try the settings file of inbound webhooks before a server reads it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli import output
from tallystick.core.errors import InvalidInput, NotFound

app = typer.Typer(help="Try the settings file of inbound webhooks.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="inbound")


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The settings file.")],
    *,
    source: Annotated[str | None, typer.Option(help="Of which source the sample is.")] = None,
    sample: Annotated[Path | None, typer.Option(help="A payload: show the events that it becomes.")] = None,
) -> None:
    """Check the file, and show what a payload becomes: events as JSON lines, and what is wrong with the others.

    Nothing is stored, and no secret is needed. Headers are not known here: what is mapped from one is missing.
    """
    from tallystick.integrations.inbound.reading import read_file

    found = read_file(file)
    if sample is None:
        rows = [
            (name, each.signature.scheme, ", ".join(each.signature.secrets)) for name, each in found.sources.items()
        ]
        output.show_table(("source", "scheme", "secrets"), rows, empty="the file has no sources")
        return
    if source is None:
        raise InvalidInput("whose payload is it? give --source", field="source")
    if source not in found.sources:
        raise NotFound(f"there is no source {source!r}; there are: {', '.join(sorted(found.sources))}")
    _show(found.sources[source], sample)


def _show(source: object, sample: Path) -> None:
    from tallystick.core.clock import SystemClock
    from tallystick.integrations.inbound.mapping import events_of, read_payload
    from tallystick.integrations.inbound.models import Source
    from tallystick.metering.decoding import Limits

    assert isinstance(source, Source)
    limits = Limits(SystemClock().now(), timedelta(days=36_500), 10_000)
    taken = events_of(source, read_payload(sample.read_bytes()), {}, limits)
    for _, _, raw in taken.decoded.events:
        output.show(bytes(raw).decode())
    for each in taken.decoded.rejections:
        output.note(f"item {each.position}: {each.message}")
    output.note(
        f"{len(taken.decoded.events)} events, {len(taken.decoded.rejections)} that can't be taken, "
        f"{taken.ignored} passed over"
    )
    if taken.decoded.rejections:
        raise typer.Exit(1)
