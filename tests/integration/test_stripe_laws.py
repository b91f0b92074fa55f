"""Whatever happens on the way, Stripe ends up with what the ledger says, and never has more than it ever said.

A schedule is random: events, corrections, closed periods, faults of Stripe and of the network, processes that are
killed anywhere, two that send at once, clocks that jump. TALLYSTICK_TEST_EXAMPLES says how many schedules are tried.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from tallystick.core.clock import ManualClock
from tallystick.core.ids import event_id
from tallystick.core.settings import Settings
from tallystick.integrations.stripe.fake import Effect, Lag, Setting
from tallystick.integrations.stripe.meters.rejections import rejections_in, report_rejections
from tallystick.storage.database import Database
from tests.conftest import temporary_database
from tests.integration.stripe_meters_setup import EVENTS, Shop, open_shop

EXAMPLES = int(os.environ.get("TALLYSTICK_TEST_EXAMPLES", "6"))
STEPS = 40
TEAMS = ("acme", "beta")
BEGINNING = datetime.fromisoformat("2026-03-29T12:00:00+00:00")

UNDONE = (Effect.UNREACHABLE, Effect.RATE_LIMITED, Effect.UNAVAILABLE, Effect.SERVER_ERROR, Effect.LOCK_TIMEOUT)
DONE = (Effect.DONE_BUT_SERVER_ERROR, Effect.LOST_ANSWER, Effect.GARBLED)
TROUBLES = (DONE, (*UNDONE, *DONE), (*UNDONE, *DONE, Effect.REJECTED_LATER))


@dataclass(slots=True)
class Story:
    """A random schedule, and what was true at any time of it."""

    shop: Shop
    random: Random
    sent: list[tuple[str, str]] = field(default_factory=list)
    most: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(TEAMS, Decimal(0)))
    ahead: timedelta = timedelta(0)

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
        await self.check()

    async def use(self) -> None:
        team, key = self.random.choice(TEAMS), str(len(self.sent))
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
        self.shop.account.faults.at_random(self.random.choice((0.2, 0.7)), self.random.choice(TROUBLES), EVENTS)

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
                await report_rejections(tx, rejections_in(event["data"]), self.shop.clock.now())

    async def check(self) -> None:
        for team in TEAMS:
            assert self.shop.told(team_id=team) <= self.most[team], team

    async def come_to_rest(self) -> None:
        """Nothing goes wrong any more, and time passes."""
        self.shop.account.faults.clear()
        self.shop.clock.set(self.shop.clock.now() - self.ahead)
        for _ in range(6):
            await self.shop.quiet(hours=11)
            await self.hear()
            await self.check()


@pytest.mark.parametrize("seed", range(EXAMPLES))
async def test_stripe_ends_up_with_what_the_ledger_says(seed: int, server_url: str, migrated_template: str) -> None:
    clock, random = ManualClock(BEGINNING), Random(seed)
    setting = Setting(at=BEGINNING, seed=seed, lag=Lag(0, 300))
    with temporary_database(server_url, migrated_template) as url:
        async with await Database.open(Settings(database_url=url)) as database:
            async with open_shop(database, clock, setting) as shop:
                for team in TEAMS:
                    await shop.customer(team)
                story = Story(shop, random)
                for _ in range(STEPS):
                    await story.step()
                await story.come_to_rest()
                for team in TEAMS:
                    assert shop.told(team_id=team) == await shop.ledger(team_id=team), team
                assert "quarantined" not in await shop.states()
