"""`tallystick validate`, `plan` and `apply`: the billing file checked, compared, and put in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from

if TYPE_CHECKING:
    from tallystick.catalog.models import Catalogue

File = Annotated[Path, typer.Argument(metavar="FILE", help="The billing file.")]
DEFAULT = Path("tallystick.yaml")


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    for command in (validate, plan, apply):
        parent.command()(command)


def validate(file: File = DEFAULT) -> None:
    """Check a billing file and list everything that is wrong with it. Needs no database."""
    catalogue = _load(file)
    parts = {"metric": catalogue.metrics, "plan": catalogue.plans, "team": catalogue.teams}
    counts = ", ".join(f"{len(each)} {name}{'' if len(each) == 1 else 's'}" for name, each in parts.items())
    output.show(f"{file} is valid: {counts}")


def plan(file: File = DEFAULT, data_dir: DataDir = None) -> None:
    """Show what applying a billing file would change. Changes nothing."""
    from tallystick.catalog.render import render_plan
    from tallystick.catalog.service import plan_changes
    from tallystick.core.clock import SystemClock

    catalogue = _load(file)
    settings = settings_from(data_dir=data_dir)
    changes = run_with_database(lambda database: plan_changes(database, catalogue, SystemClock()), settings)
    output.show(render_plan(changes))


def apply(
    file: File = DEFAULT,
    *,
    retroactive: Annotated[
        bool, typer.Option("--retroactive", help="Allow changes of what past usage counts or costs.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a billing file in force, in one transaction. Applying it again changes nothing."""
    from tallystick.catalog.render import render_plan
    from tallystick.catalog.service import apply as apply_catalogue
    from tallystick.core.clock import SystemClock

    catalogue = _load(file)
    settings = settings_from(data_dir=data_dir)
    changes = run_with_database(
        lambda database: apply_catalogue(database, catalogue, SystemClock(), allow_retroactive=retroactive), settings
    )
    output.show(render_plan(changes))


def _load(file: Path) -> "Catalogue":
    from tallystick.catalog.loading import load

    return load(file)
