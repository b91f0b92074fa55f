"""The command line. This module is what its commands share: settings, and an open database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer

from tallystick.core.errors import ConfigurationError

if TYPE_CHECKING:
    from tallystick.core.settings import Settings
    from tallystick.storage.database import Database

T = TypeVar("T")

DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder of the embedded PostgreSQL. Not used when DATABASE_URL is set, which has no option "
        "because other users of the machine can read a command's options, and it holds a password.",
    ),
]
"""The option that every command with a database takes."""


def settings_from(**options: Any) -> "Settings":
    """The settings: options that were given (not None), else the environment, else the defaults.

    Raises:
        ConfigurationError: one of them does not fit; the message names it.
    """
    from pydantic import ValidationError

    from tallystick.core.settings import Settings

    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        variable = name if name == "DATABASE_URL" else f"TALLYSTICK_{name.upper()}"
        raise ConfigurationError(f"{variable}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None


def run_with_database(work: "Callable[[Database], Awaitable[T]]", settings: "Settings") -> T:
    """What `work` makes of the open database, which is closed again whatever happens.

    Raises:
        StorageError: it can't be had; the message says why.
    """
    from tallystick.storage.database import Database

    async def run() -> T:
        async with await Database.open(settings) as database:
            return await work(database)

    return asyncio.run(run())
