"""`tallystick init`: begin with a working configuration."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli import output
from tallystick.core.errors import Conflict


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files go; made if need be.")] = Path(),
    *,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which one. Default: list the recipes there are.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
) -> None:
    """Write a recipe: a commented billing file, sample events, and a README that explains both. Needs no database."""
    from tallystick.catalog.recipes import TITLES
    from tallystick.catalog.recipes import recipe as find

    if recipe is None:
        output.show_table(("recipe", "contains"), TITLES.items())
        output.note("tallystick init --recipe NAME writes one")
        return
    chosen = find(recipe)
    _refuse_to_replace(folder, chosen.files, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in chosen.files.items():
        (folder / name).write_text(text, encoding="utf-8")
        output.show(str(folder / name))
    enter = "" if folder == Path() else f"cd {folder}, "
    output.note(f"Next: {enter}tallystick validate; README.md has the rest")


def _refuse_to_replace(folder: Path, names: Iterable[str], *, overwrite: bool) -> None:
    there = [name for name in names if (folder / name).exists()]
    if there and not overwrite:
        raise Conflict(f"{', '.join(there)} is in {folder.resolve()} already; name another FOLDER, or give --overwrite")
