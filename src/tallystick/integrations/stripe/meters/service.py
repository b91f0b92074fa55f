"""Stripe's meters as one thing: what the worker, the API and the command line call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from tallystick.core.clock import Clock
from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.api import MeterApi
from tallystick.integrations.stripe.meters.lateness import LateUsage
from tallystick.integrations.stripe.meters.models import State
from tallystick.integrations.stripe.meters.pace import LIVE, STREAM, TEST, Pace
from tallystick.integrations.stripe.meters.planning import LATENESS, Planner
from tallystick.integrations.stripe.meters.sending import Sender, Sent
from tallystick.integrations.stripe.meters.telling import at_risk
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.metering.service import Metering
from tallystick.notifications import enqueue
from tallystick.storage.database import Database

REPORTED_WITHIN = timedelta(days=30)
"""How long Stripe may take to report an error."""

SOON = timedelta(hours=24)
WAITED = timedelta(minutes=15)
"""Somebody is told of usage that has waited for so long, and will be late so soon."""

MARGIN = timedelta(minutes=10)
"""How long before Stripe makes an invoice final nothing is sent for it any more."""


class Synced(NamedTuple):
    """What a synchronisation did.

    Attributes:
        teams: looked at.
        booked: deltas that were new.
        accepted: deltas that Stripe said yes to.
        waiting: that were tried and have to be tried again.
        settled: that are late, quarantined or lost.
    """

    teams: int
    booked: int
    accepted: int
    waiting: int
    settled: int


class Standing(NamedTuple):
    """How the outbox of a team stands, in deltas.

    Attributes:
        team_id: whose.
        pending: booked, and will be sent.
        parked: that wait until something is put right.
        accepted: that Stripe said yes to.
        confirmed: that its summaries show, too.
        quarantined: that it will not take.
        late: that came when their period's invoice was final.
        in_doubt: of those pending, that may have arrived.
        oldest: since when the oldest waits; None: none does.
        hold: what has to be put right.
    """

    team_id: str
    pending: int
    parked: int
    accepted: int
    confirmed: int
    quarantined: int
    late: int
    in_doubt: int
    oldest: datetime | None
    hold: str | None


@dataclass(frozen=True, slots=True)
class Meters:
    """The meters of one account, told by one installation."""

    database: Database
    clock: Clock
    api: MeterApi
    planner: Planner
    lateness: LateUsage
    sender: Sender

    @classmethod
    def open(
        cls,
        database: Database,
        metering: Metering,
        clock: Clock,
        api: MeterApi,
        *,
        grace: timedelta = timedelta(hours=1),
        rate: float | None = None,
        lateness: timedelta = LATENESS,
    ) -> Self:
        """The meters of the account that `api` is for.

        Args:
            database: of the installation.
            metering: whose usage is told.
            clock: where "now" comes from.
            api: open; whoever opened it closes it.
            grace: how long Stripe keeps an invoice of a subscription a draft.
            rate: calls a second; None: what Stripe takes of such an account.
            lateness: how long after its end a window is left alone.
        """
        live = api.account.endswith("/live")
        usable = max(grace - MARGIN, grace / 2)
        return cls(
            database=database,
            clock=clock,
            api=api,
            planner=Planner(database, metering, clock, api.account, usable, lateness),
            lateness=LateUsage(database, clock, api.account, usable, lateness),
            sender=Sender(database, clock, api, Pace(rate or (LIVE if live else TEST)), Pace(rate or STREAM)),
        )

    async def sync(self, only: Sequence[str] | None = None) -> Synced:
        """Book what is new and send what waits, until nothing is left that can be sent now.

        Args:
            only: look at these teams; None: at all. What waits is sent whoever's it is.
        """
        async with self.database.transaction() as tx:
            await store.forget_batches(tx, self.clock.now() - REPORTED_WITHIN)
        planned = await self.planner.run(only)
        await self.lateness.run(only)
        sent = await self.send()
        again = await self.planner.run(only, urgent=True)
        more = await self.send() if again.deltas else Sent()
        await self.warn()
        return Synced(
            planned.teams,
            planned.deltas + again.deltas,
            sent.accepted + more.accepted,
            sent.waiting + more.waiting,
            sent.settled + more.settled,
        )

    async def tend(self) -> bool:
        """One round of sending, and of booking what can't wait; whether there is more to do right now.

        For a loop that runs between synchronisations, every second or so. What came to nothing is booked anew, and
        what is left of a billing period when it has ended: Stripe makes its invoice final soon.
        """
        await self.planner.run(urgent=True)
        return (await self.sender.run()).more

    async def warn(self) -> None:
        """Tell of usage that has been waiting and will be too late for its invoice soon."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            risks = await store.at_risk(tx, self.api.account, now=now, soon=now + SOON, since=now - WAITED)
            await enqueue(tx, list(at_risk(risks, now)))

    async def send(self) -> Sent:
        """Send what can be sent now."""
        return await self.sender.drain()

    async def standing(self, teams: Sequence[str] | None = None) -> list[Standing]:
        """How the outbox stands, team by team."""
        async with self.database.snapshot() as tx:
            return [Standing(*row) for row in await store.standing(tx, teams)]

    async def retell(self, teams: Sequence[str] | None = None) -> int:
        """Tell again, under another name, what Stripe refused for good, of some teams or all; how many deltas it was.

        For when what it did not like was put right. What it takes no better then is set aside again.
        """
        async with self.database.transaction() as tx:
            found = await store.refused(tx, self.api.account, teams)
            await store.hold(tx, set(found.values()))
            refused = list(await store.refused(tx, self.api.account, teams))
            now = self.clock.now()
            await void(tx, refused, State.REJECTED, drift="rejected", cause="told again by hand", now=now)
        return len(refused)

    async def resume(self, teams: Sequence[str] | None = None) -> None:
        """Try at once what is held, of some teams or all."""
        async with self.database.transaction() as tx:
            await store.resume(tx, self.api.account, teams, self.clock.now())
