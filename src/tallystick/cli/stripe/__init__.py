"""`tallystick stripe`: let Stripe collect what teams owe."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from tallystick.cli import run_with_database, settings_from

if TYPE_CHECKING:
    from tallystick.integrations.stripe.provider import StripeParts
    from tallystick.storage.database import Database

T = TypeVar("T")

app = typer.Typer(
    help="Let Stripe collect: who is which customer, what was billed, what it knows.", no_args_is_help=True
)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    from tallystick.cli.stripe import bills, setup, usage

    bills.register(app)
    setup.register(app)
    usage.register(app)
    parent.add_typer(app, name="stripe")


def with_stripe(work: "Callable[[StripeParts], Awaitable[T]]", *, live: bool | None = None, **options: Any) -> T:
    """What `work` makes of the account that the key in the environment opens.

    Args:
        work: what to do with it.
        live: whether real money is allowed; None: it does not matter.
        options: of the settings.

    Raises:
        ConfigurationError: there is no key, or one for real money where that was not allowed.
        StripeRefused: the key is not good, or Stripe can't be reached.
    """
    from tallystick.core.clock import SystemClock
    from tallystick.core.errors import ConfigurationError
    from tallystick.integrations.stripe.client import is_live
    from tallystick.integrations.stripe.provider import StripeParts
    from tallystick.metering.service import Metering

    settings = settings_from(**options)
    if live is False and is_live(settings):
        raise ConfigurationError("the key is not for tests, but for real money; say --live if that is meant")

    async def run(database: "Database") -> T:
        clock = SystemClock()
        async with Metering.open(database, settings, clock) as metering:
            parts = await StripeParts.open(settings, database, metering, clock)
            try:
                return await work(parts)
            finally:
                parts.api.close()

    return run_with_database(run, settings)
