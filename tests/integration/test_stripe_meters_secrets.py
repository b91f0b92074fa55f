"""Nothing secret gets out: no key, no signing secret and no card is in a log, an error, an answer or a row.

The whole of it is run, as a server runs it, with all logs on and with everything going wrong that can; then every row
of every table is searched, whatever table it is.
"""

import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.fake import Effect, Fault, Setting, running, sign
from tallystick.integrations.stripe.meters.catalogue import MeterCatalogue
from tallystick.integrations.stripe.outcomes import StripeRefused
from tallystick.integrations.stripe.provider import StripeProvider
from tallystick.integrations.stripe.teams.models import Mode, Terms
from tallystick.storage.database import Database
from tests.integration.billing_setup import House, opened
from tests.integration.stripe_bills_setup import START
from tests.integration.stripe_setup import CARD

KEY = "sk_test_51NobodyMayReadThisKey"
OTHER_KEY = "sk_test_51AnotherKeyThatIsWrong"
SIGNING = "whsec_NobodyMayReadThisSecret"
CARD_NUMBER = "4242424242424242"
SECRETS = (KEY, OTHER_KEY, SIGNING, KEY[8:], SIGNING[6:], CARD_NUMBER, "pm_card_visa")


def settings(url: str, key: str = KEY) -> Settings:
    return Settings(stripe_api_key=SecretStr(key), stripe_webhook_secret=SecretStr(SIGNING), stripe_api_base=url)


async def rows_with_secrets(database: Database) -> list[tuple[str, str]]:
    """Which secret is in which table, found by writing every row of every table as text."""
    async with database.snapshot() as tx:
        tables = await (
            await tx.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        ).fetchall()
        found = []
        for (table,) in tables:
            rows = await (await tx.execute(SQL("SELECT t::text FROM {} t").format(Identifier(table)))).fetchall()
            found += [(table, secret) for secret in SECRETS for (row,) in rows if secret in row]
    assert len(tables) > 30
    return found


@asynccontextmanager
async def provided(house: House, url: str, key: str = KEY) -> AsyncIterator[StripeProvider]:
    provider = StripeProvider(settings(url, key), house.database, house.metering, house.clock)
    try:
        yield provider
    finally:
        await provider.close()


async def set_up(house: House, provider: StripeProvider) -> str:
    """A team for each mode, with usage; the customer of one."""
    parts = await provider.parts()
    catalogue = MeterCatalogue(house.database, house.metering, house.clock, parts.api)
    await catalogue.apply(await catalogue.plan())
    customers = parts.api.client.v1.customers
    params: Any = {"name": "Acme", **CARD}
    made = [customers.create(params).id for _ in Mode]
    for mode, customer in zip(Mode, made, strict=True):
        await house.team(str(mode))
        await parts.teams.link(str(mode), customer, Terms(mode, billed_from=START))
        await house.use(25_000, team_id=str(mode))
    return str(made[0])


async def deliver(house: House, customer: str) -> list[httpx.Response]:
    """A message of Stripe's with card data in it, one that is forged, and one that is no event."""
    document = {
        "id": "evt_1", "object": "event", "type": "customer.updated", "created": 1772323200, "livemode": False,
        "data": {"object": {"id": customer, "object": "customer", "card": CARD_NUMBER, "key": KEY}},
    }  # fmt: skip
    body, now = json.dumps(document).encode(), int(house.clock.now().timestamp())
    signed = [(body, sign(body, SIGNING, now)), (body, sign(body, "whsec_forged", now))]
    signed.append((b"{" + SIGNING.encode(), sign(b"{" + SIGNING.encode(), SIGNING, now)))
    with_secret = Settings(stripe_webhook_secret=SecretStr(SIGNING))
    async with AppState.open(with_secret, house.database, house.clock) as whole:
        transport = httpx.ASGITransport(create_app(replace(whole, metering=house.metering)))
        async with httpx.AsyncClient(transport=transport, base_url="http://tallystick") as client:
            return [
                await client.post("/api/webhooks/stripe", content=sent, headers={"stripe-signature": signature})
                for sent, signature in signed
            ]


async def work(house: House, provider: StripeProvider, account: Any) -> None:
    """Months pass; things go wrong at every step."""
    harm = [Effect.UNREACHABLE, Effect.SERVER_ERROR, Effect.LOST_ANSWER, Effect.GARBLED, Effect.RATE_LIMITED]
    account.faults.plan(*(Fault(effect, "POST *", times=2) for effect in harm))
    for number in range(10):
        if number == 8:
            account.faults.clear()
        await provider.sync()
        while await provider.tend():
            pass
        house.clock.advance(timedelta(hours=100))
        account.advance(hours=100)
        await house.billing.closing.run()


async def test_no_secret_is_in_a_log_an_error_an_answer_or_a_row(
    database: Database, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("stripe", "urllib3", "tallystick", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    said: list[str] = []
    with running(Setting(at=clock.now(), api_key=KEY)) as fake:
        async with opened(database, clock) as house:
            async with provided(house, fake.url) as provider:
                customer = await set_up(house, provider)
                answers = await deliver(house, customer)
                assert [answer.status_code for answer in answers] == [200, 401, 400]
                said += [answer.text + str(answer.headers) for answer in answers]
                await work(house, provider, fake.account)
                said.append(repr((provider.settings, await provider.sync())))
            for url in (fake.url, f"http://127.0.0.1:{closed_port()}"):
                async with provided(house, url, OTHER_KEY) as provider:
                    with pytest.raises(StripeRefused) as refused:
                        await provider.sync()
                    said.append(str(refused.value) + repr(refused.value.outcome))
        assert fake.account.total("api_calls", list(fake.account.world.customers)[1])
        assert [invoice["status"] for invoice in fake.account.invoices()][:1] == ["paid"]
    assert [secret for secret in SECRETS for text in said if secret in text] == []
    assert len(caplog.records) > 50
    assert [secret for secret in SECRETS for record in caplog.records if secret in told(record)] == []
    assert await rows_with_secrets(database) == []


def told(record: logging.LogRecord) -> str:
    """Everything that a log record has to say."""
    return f"{record.getMessage()} {record.__dict__!r}"


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port
