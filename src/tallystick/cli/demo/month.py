"""March 2026, lived through with Stripe: Tallystick's own server on one side, a fake of Stripe on the other.

    traffic ─▶ Tallystick ─ usage, invoices ─▶ fake Stripe
                   ▲                                │
                   └────────── webhooks ────────────┘

Both have a clock that is moved by hand, so a month takes seconds. One team is billed by Stripe out of what its meters
are told, one gets invoices that are made here. What passes between the two is HTTP, as it would be.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, LiteralString

import uvicorn

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.cli.demo.traffic import traffic
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.client import open_client
from tallystick.integrations.stripe.fake import Fault, Lag, Manners, RunningFake, Setting, running
from tallystick.integrations.stripe.meters.catalogue import MeterCatalogue
from tallystick.integrations.stripe.provider import StripeParts
from tallystick.integrations.stripe.teams.models import Mode, Terms
from tallystick.integrations.stripe.teams.setup import METADATA, Setup, Wanted
from tallystick.integrations.stripe.webhooks.handling import METER_ERRORS
from tallystick.metering.decoding import decode
from tallystick.storage.database import Database

KEY = "sk_test_fake"
START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 1, tzinfo=UTC)
HONEST_FROM = datetime(2026, 3, 29, tzinfo=UTC)
"""From then on Stripe counts right: what it gets wrong in the last hours can't be found before it has billed them."""

EVENTS = 30_000
OFFICE_HOURS = (8, 18)
"""Of UTC: in these hours there is traffic, so that a month has some hundred hours of usage to tell, and is quick."""

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SOON = timedelta(minutes=5)
TRIES = 6
ANYTHING = Decimal(100)
METERED_PLAN = "metered"
SETTLED_WITHIN = timedelta(days=3)

MODES = {"acme": Mode.METERS, "globex": Mode.INVOICE_ITEMS}
CARD = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}

UNSENT = "SELECT count(*) FROM stripe_deltas WHERE state = 'pending'"
WAITING = """
SELECT (SELECT count(*) FROM stripe_deltas WHERE state = 'pending')
     + (SELECT count(*) FROM stripe_bills WHERE state IN ('planned', 'drafted', 'final'))
     + (SELECT count(*) FROM stripe_events WHERE processed_at IS NULL)
     + (SELECT count(*) FROM stripe_teams t WHERE NOT EXISTS (
            SELECT FROM metered_billing_periods p WHERE p.team_id = t.team_id AND p.status = 'paid'))
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong.

    Attributes:
        calls: faults of calls, all month.
        counting: faults of what Stripe has counted, until some days before the end.
        manners: how webhooks come.
    """

    calls: Sequence[Fault] = ()
    counting: Sequence[Fault] = ()
    manners: Manners = field(default_factory=Manners)


@dataclass(frozen=True, slots=True)
class Month:
    """The month, as far as it has come."""

    fake: RunningFake
    clock: ManualClock
    state: AppState
    parts: StripeParts

    @classmethod
    @asynccontextmanager
    async def open(cls, database_url: str, trouble: Trouble) -> AsyncIterator["Month"]:
        """Both sides at work on an empty database, as the month begins."""
        clock, lag = ManualClock(START), Lag(0, 240)
        setting = Setting(at=START, lag=lag, manners=trouble.manners, seed=3)
        with socket.create_server(("127.0.0.1", 0)) as listening, running(setting) as fake:
            settings = _settings(database_url, fake.url, listening.getsockname()[1])
            async with (
                await Database.open(settings) as database,
                AppState.open(settings, database, clock, dev=True) as state,
                _serving(state, listening),
            ):
                parts = await StripeParts.open(settings, database, state.metering, clock)
                try:
                    yield cls(fake, clock, state, parts)
                finally:
                    parts.api.close()

    async def begin(self) -> None:
        """Set up as a user would: the catalogue, customers, meters and prices, who is who, a subscription."""
        source = files(__package__).joinpath("stripe.yaml").read_text(encoding="utf-8")
        await apply(self.state.database, parse(source, "the demo's month"), self.clock)
        client: Any = self.parts.api.client
        customers = {team: client.v1.customers.create({**CARD, "metadata": {METADATA: team}}).id for team in MODES}
        catalogue = MeterCatalogue(self.state.database, self.state.metering, self.clock, self.parts.api)
        steps = await catalogue.plan()
        sold = {step.metric for step in steps if step.plan == METERED_PLAN}
        await catalogue.apply([step for step in steps if step.metric in sold and step.plan in (None, METERED_PLAN)])
        terms = {team: Terms(mode, billed_from=START) for team, mode in MODES.items()}
        setup = Setup(self.parts.teams, client)
        await setup.apply(await setup.plan(Wanted(by_team=terms)))
        prices = [{"price": each.id} for each in client.v1.prices.list({"limit": 100}).auto_paging_iter()]
        for team in (team for team, mode in MODES.items() if mode is Mode.METERS):
            client.v1.subscriptions.create({"customer": customers[team], "items": prices})

    async def live_through(self, trouble: Trouble, events: int) -> None:
        """Let the month pass, day by day, with its traffic and both sides at work."""
        self.fake.account.faults.plan(*trouble.calls, *trouble.counting)
        for day in (START + DAY * number for number in range((END - START) // DAY)):
            await self._pass(day + DAY - self.clock.now())
            await self._ingest(day, events // 31)
            await self._work()
            if trouble.counting and day + DAY == HONEST_FROM:
                await self._put_right(trouble)

    async def close(self) -> None:
        """Close it, and let time pass until everything is billed, paid, and known here."""
        while self.clock.now() < END + HOUR:  # until then Stripe's invoice is a draft
            await self._send()
        while self.clock.now() < END + SETTLED_WITHIN and await self.waiting():
            await self._pass(HOUR)
            await self._work()

    async def waiting(self) -> int:
        """What is not settled yet: usage, bills, messages, statements."""
        return await self._count(WAITING)

    async def _put_right(self, trouble: Trouble) -> None:
        """From now on Stripe counts right, and somebody who was alerted lets more be repaired than is by itself."""
        self.fake.account.faults.clear()
        self.fake.account.faults.plan(*trouble.calls)
        for _ in range(3):
            await self._pass(HOUR)
            await self.parts.reconciliation.run(cap=ANYTHING)
            await self._work()

    async def _pass(self, by: timedelta) -> None:
        self.clock.advance(by)
        await asyncio.to_thread(self.fake.account.advance, seconds=by.total_seconds())
        await asyncio.to_thread(self.fake.settle)

    async def _ingest(self, day: datetime, number: int) -> None:
        opens, closes = (day + HOUR * hour for hour in OFFICE_HOURS)
        events = [event for event in traffic(opens, closes, number) if event["team_id"] in MODES]
        limits = self.state.metering.limits.now()
        await self.state.metering.ingestor.submit(decode(json.dumps(events).encode(), limits))

    async def _work(self) -> None:
        """What the loops of a server do; while something is refused or lost they try again and again."""
        while (await self.state.metering.store.roll_up(self.clock.now())).more:
            pass
        await self._pass(SOON)
        await self.state.billing.closing.run()
        await self.parts.sync()
        for _ in range(TRIES):
            if not await self._count(UNSENT):
                break
            await self._send()

    async def _send(self) -> None:
        await self._pass(SOON)
        await self.parts.messages.run()
        while await self.parts.meters.tend():
            pass

    async def _count(self, statement: LiteralString) -> int:
        async with self.state.database.snapshot() as tx:
            row = await (await tx.execute(statement)).fetchone()
        return int(row[0]) if row else 0


def _settings(database_url: str, stripe_url: str, port: int) -> Settings:
    """The installation's, with the secrets of the endpoints that Stripe was given."""
    settings = Settings(database_url=database_url, stripe_api_key=KEY, stripe_api_base=stripe_url)
    client: Any = open_client(settings)
    url = f"http://127.0.0.1:{port}/api/webhooks/stripe"
    hook = client.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    thin = client.v2.core.event_destinations.create({
        "name": "meters",
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": sorted(METER_ERRORS),
        "webhook_endpoint": {"url": url},
        "include": ["webhook_endpoint.signing_secret"],
    })  # fmt: skip
    secrets = f"{hook.secret},{thin.webhook_endpoint.signing_secret}"
    return Settings(**{**settings.model_dump(), "stripe_webhook_secret": secrets})


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are for the command."""
        yield


@asynccontextmanager
async def _serving(state: AppState, listening: socket.socket) -> AsyncIterator[None]:
    """The whole application, for Stripe's webhooks."""
    config = uvicorn.Config(create_app(state), lifespan="off", log_config=None, access_log=False, ws="none")
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        with suppress(asyncio.CancelledError):
            await serving
