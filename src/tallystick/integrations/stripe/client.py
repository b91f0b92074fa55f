"""Stripe's SDK, set up once for all of us: who asks, where, for how long, and that nothing is retried behind our back.

The SDK's synchronous client is the faster one, and safe to be shared by threads, each of which has connections of its
own; so calls are made in threads (`call`). Retries are ours alone, because only we know what an answer means.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import stripe

from tallystick.core.errors import ConfigurationError
from tallystick.core.settings import Settings
from tallystick.http.loopback import is_loopback
from tallystick.integrations.stripe.outcomes import StripeRefused, outcome_of

T = TypeVar("T")

TEST_KEYS = ("sk_test_", "rk_test_")
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0


def open_client(settings: Settings) -> stripe.StripeClient:
    """A client with the installation's key.

    Raises:
        ConfigurationError: there is no key, or an address for it that is not Stripe's nor this machine's.
    """
    key = settings.stripe_api_key.get_secret_value() if settings.stripe_api_key else ""
    if not key:
        raise ConfigurationError("no Stripe key; set TALLYSTICK_STRIPE_API_KEY")
    stripe.enable_telemetry = False
    logging.getLogger("stripe").setLevel(logging.WARNING)  # below it are two lines a call, and then whole answers
    addresses: Any = {} if settings.stripe_api_base is None else _addresses(settings.stripe_api_base, key)
    return stripe.StripeClient(
        key,
        base_addresses=addresses,
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
    )


def is_live(settings: Settings) -> bool:
    """Whether the key may be for real money: any key is that does not say it is for tests; without one: no."""
    key = settings.stripe_api_key.get_secret_value() if settings.stripe_api_key else ""
    return bool(key) and not key.startswith(TEST_KEYS)


def is_local(settings: Settings) -> bool:
    """Whether it is a fake of Stripe, on this machine, that is asked."""
    return settings.stripe_api_base is not None and is_loopback(urlsplit(settings.stripe_api_base).hostname or "")


async def call(doing: str, method: Callable[..., T], *arguments: Any) -> T:
    """What a method of the client answers, made in a thread.

    Args:
        doing: what is being done, for the message of an error: `list meters`.
        method: of the client.
        arguments: its own.

    Raises:
        StripeRefused: it did not; `outcome` says what is known.
    """
    try:
        return await asyncio.to_thread(method, *arguments)
    except stripe.StripeError as error:
        raise StripeRefused(doing, outcome_of(error)) from None


def _addresses(base: str, key: str) -> dict[str, str]:
    parts = urlsplit(base)
    tests = key.startswith(TEST_KEYS) and parts.scheme == "https"
    if not tests and not is_loopback(parts.hostname or ""):
        raise ConfigurationError("TALLYSTICK_STRIPE_API_BASE is for this machine, or for test keys over https, alone")
    return dict.fromkeys(("api", "connect", "files", "meter_events"), base.rstrip("/"))
