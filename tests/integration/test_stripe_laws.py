"""Whatever happens on the way, Stripe ends up with what the ledger says, and never has more than it ever said.

A schedule is random: events, corrections, closed periods, faults of Stripe and of the network, processes that are
killed anywhere, two that send at once, clocks that jump. TALLYSTICK_TEST_EXAMPLES says how many schedules are tried.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.ids import event_id
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.fake import Effect, Lag, Setting
from tallystick.integrations.stripe.meters import sending
from tallystick.integrations.stripe.meters.rejections import rejections_in, report_rejections, unnamed_since
from tallystick.integrations.stripe.reconciling.service import Reconciliation
from tallystick.storage.database import Database
from tests.conftest import temporary_database
from tests.integration.stripe_meters_setup import Shop, open_shop

EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "4"))
STEPS = 40
TEAMS = ("acme", "beta")
AT_THE_EDGE = datetime.fromisoformat("2026-03-29T12:00:00+00:00")
EARLY = datetime.fromisoformat("2026-03-05T12:00:00+00:00")
"""So early that no invoice is final: after that Stripe's mistakes can only be reported."""

UNDONE = (Effect.UNREACHABLE, Effect.RATE_LIMITED, Effect.UNAVAILABLE, Effect.SERVER_ERROR, Effect.LOCK_TIMEOUT)
DONE = (Effect.DONE_BUT_SERVER_ERROR, Effect.LOST_ANSWER, Effect.GARBLED)
TROUBLES = (DONE, (*UNDONE, *DONE), (*UNDONE, *DONE, Effect.REJECTED_LATER))


TELLING = "POST /v[12]/billing/meter_event[s_]*"
"""Single calls, the stream and its sessions."""

PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")
EXPONENT = re.compile(r"'-?\d+(\.\d+)?[eE][+-]?\d+'")

WRONGS = (*DONE, Effect.UNREACHABLE, Effect.REJECTED_LATER, Effect.NEVER_COUNTED, Effect.COUNTED_TWICE)
"""What Stripe may get wrong on its side, too."""


@dataclass(slots=True)
class Story:
    """A random schedule, and what was true at any time of it."""

    shop: Shop
    random: Random
    sent: list[tuple[str, str]] = field(default_factory=list)
    uses: int = 0
    most: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(TEAMS, Decimal(0)))
    ahead: timedelta = timedelta(0)
    troubles: Sequence[Sequence[Effect]] = TROUBLES

    async def step(self) -> None:
        """Something happens."""
        happenings: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (6, self.use),
            (2, self.correct),
            (5, self.time_passes),
            (3, self.sync),
            (4, self.die),
            (2, self.race),
            (2, self.trouble),
            (1, self.peace),
            (1, self.jump),
            (1, self.close),
        ]
        [happening] = self.random.choices([each for _, each in happenings], [weight for weight, _ in happenings])
        await happening()

    async def use(self) -> None:
        self.uses += 1
        team, key = self.random.choice(TEAMS), str(self.uses)
        quantity = Decimal(self.random.randint(1, 10**6)).scaleb(-self.random.choice((0, 0, 3, 9)))
        age = timedelta(minutes=self.random.choice((5, 30, 120, 60 * 30)) * self.random.random())
        at = (self.shop.clock.now() - age).isoformat()
        with suppress(AssertionError):  # a clock that jumps makes a time that is refused
            await self.shop.house.use(f"{quantity:f}", at, team_id=team, idempotency_key=key)
            self.sent.append((team, key))
        self.most[team] = max(self.most[team], await self.shop.ledger(team_id=team))

    async def correct(self) -> None:
        if self.sent:
            team, key = self.sent.pop(self.random.randrange(len(self.sent)))
            await self.shop.house.metering.corrections.void(event_id(team, key), reason="wrong", actor="test")

    async def time_passes(self) -> None:
        self.shop.go(minutes=self.random.choice((1, 15, 61, 60 * 7, 60 * 26, 60 * 50)))

    async def sync(self) -> None:
        await self.shop.sync()

    async def die(self) -> None:
        """A process is killed somewhere; what it has asked of Stripe goes on."""
        task = asyncio.ensure_future(self.shop.sync())
        await asyncio.wait([task], timeout=self.random.choice((0.01, 0.05, 0.1, 0.3)) * self.random.random())
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def race(self) -> None:
        await asyncio.gather(self.shop.sync(), self.shop.sync())

    async def trouble(self) -> None:
        self.shop.account.faults.clear()
        self.shop.account.faults.at_random(self.random.choice((0.2, 0.7)), self.random.choice(self.troubles), TELLING)

    async def peace(self) -> None:
        self.shop.account.faults.clear()

    async def jump(self) -> None:
        """Our clock is put ahead or back, or right again."""
        right = self.shop.clock.now() - self.ahead
        self.ahead = timedelta(hours=self.random.choice((-3, 0, 2, 50)))
        self.shop.clock.set(right + self.ahead)

    async def close(self) -> None:
        await self.shop.house.billing.closing.run()

    async def hear(self) -> None:
        """The error reports of Stripe arrive, each of them as often as this is called."""
        answer = self.shop.api.client.raw_request("get", "/v2/core/events", limit=100)
        for event in answer.data["data"]:
            async with self.shop.house.database.transaction() as tx:
                data, now = event["data"], self.shop.clock.now()
                account, since = self.shop.api.account, unnamed_since(data)
                await report_rejections(tx, rejections_in(data), now, account=account, since=since)

    async def check(self) -> None:
        """Stripe never has more than the ledger ever had, but for what it was told to take back and did not."""
        for team in TEAMS:
            assert self.shop.told(team_id=team) <= self.most[team] + await self.not_taken_back(team), team

    async def not_taken_back(self, team: str) -> Decimal:
        """What Stripe dropped after it had said yes, or what came when its period's invoice was final."""
        found = await self.shop.rows(
            "SELECT d.identifier, d.quantity FROM stripe_deltas d JOIN stripe_lanes l ON l.id = d.lane_id "
            "WHERE d.quantity < 0 AND d.state <> 'pending' AND l.team_id = %s",
            team,
        )
        meter = self.shop.account.usage.meter_named("api_calls")
        assert meter is not None
        there = {each.identifier for each in self.shop.account.usage.events(meter["id"], self.shop.customers[team])}
        return sum((-quantity for identifier, quantity in found if identifier not in there), Decimal(0))

    async def come_to_rest(self) -> None:
        """Nothing goes wrong any more, and time passes: what is due is compared, and put right."""
        self.shop.account.faults.clear()
        self.shop.clock.set(self.shop.clock.now() - self.ahead)
        service = Reconciliation(self.shop.meters, self.shop.house.metering, self.shop.clock)
        for hours in (11, 11, 11, 11, 11, 11, 2, 2, 2, 2, 2, 2):
            await self.shop.quiet(hours=hours)
            await self.hear()
            await service.run(cap=Decimal(100))
        await self.shop.quiet(hours=2)

    async def told_properly(self) -> None:
        """Whatever was asked of Stripe is in plain notation, and no request of it was another than before."""
        for request, identifier, quantity in await self.shop.rows(
            "SELECT request, identifier, quantity FROM stripe_deltas"
        ):
            value = request["payload"]["value"]
            assert PLAIN.fullmatch(value)
            assert (Decimal(value), request["identifier"]) == (quantity, identifier)
        assert not [each for each in self.shop.account.requests if EXPONENT.search(repr(each.params))]


@pytest.fixture(autouse=True)
def early_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stream is used for a few events already."""
    monkeypatch.setattr(sending, "STREAM_FROM", 3)


@asynccontextmanager
async def telling(
    seed: int, server_url: str, template: str, beginning: datetime, troubles: Sequence[Sequence[Effect]]
) -> AsyncIterator[Story]:
    """The beginning of a story, in a database of its own. Every other one is told by the stream, where it can be."""
    clock, setting = ManualClock(beginning), Setting(at=beginning, seed=seed, lag=Lag(0, 300))
    with temporary_database(server_url, template) as url:
        async with (
            await Database.open(Settings(database_url=url)) as database,
            open_shop(database, clock, setting, streams=bool(seed % 2)) as shop,
        ):
            for team in TEAMS:
                await shop.customer(team)
            yield Story(shop, Random(seed), troubles=troubles)


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_stripe_ends_up_with_what_the_ledger_says(seed: int, server_url: str, migrated_template: str) -> None:
    async with telling(seed, server_url, migrated_template, AT_THE_EDGE, TROUBLES) as story:
        for _ in range(STEPS):
            await story.step()
            await story.check()
        await story.come_to_rest()
        for team in TEAMS:
            assert story.shop.told(team_id=team) == await story.shop.ledger(team_id=team), team
        assert "quarantined" not in await story.shop.states()  # what was unclear is not any more
        await story.told_properly()


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_what_stripe_gets_wrong_is_found_and_put_right(
    seed: int, server_url: str, migrated_template: str
) -> None:
    async with telling(seed, server_url, migrated_template, EARLY, (WRONGS,)) as story:
        shop = story.shop
        for _ in range(STEPS):
            await story.step()
        await story.come_to_rest()
        service = Reconciliation(shop.meters, shop.house.metering, shop.clock)
        for _ in range(8):
            await service.run(cap=Decimal(100))
            await shop.quiet(hours=2)
        found = await service.run(cap=Decimal(100), repair=False)
        assert [each.line for each in found if each.drift != "none"] == []
        sent = shop.account.usage.accepted
        await shop.quiet(hours=2)
        assert shop.account.usage.accepted == sent
