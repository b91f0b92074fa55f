"""A town to notify: two teams, a clock that stands still, and the whole service over a real database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.notifications import Notification, enqueue
from tallystick.notifications.models import ChannelKind, Delivery, NewChannel, State
from tallystick.notifications.service import Notifications
from tallystick.storage.database import Database

LOOPBACK = Settings(private_networks="127.0.0.1", smtp_security="none")
EXCEEDED: dict[str, Any] = {
    "title": "Acme: API calls passed 80 % of 1,000,000",
    "text": "At this rate the limit is reached on 20 March.",
    "facts": [{"label": "Usage", "value": "800000.5"}, {"label": "Cost <so far>", "value": "$1,234.50 & more"}],
    "link": "https://billing.example.com/alerts/12",
}


def exceeded(key: str = "alert:12:1:exceeded", **changes: Any) -> Notification:
    """A notification about acme."""
    at = datetime.fromisoformat("2026-03-15T11:59:58+00:00")
    return Notification(key, "alert.exceeded", "acme", (), EXCEEDED, at)._replace(**changes)


@dataclass
class Town:
    """What the tests act on."""

    database: Database
    clock: ManualClock
    service: Notifications

    async def tell(self, *notifications: Notification) -> int:
        async with self.database.transaction() as tx:
            return await enqueue(tx, notifications)

    async def webhook(self, url: str, name: str = "hook", **changes: Any) -> str:
        """A webhook channel; says its secret."""
        wanted = NewChannel(name, ChannelKind.WEBHOOK, url=url, **{"by_default": True, **changes})
        return (await self.service.add_channel(wanted)).signing_secret or ""

    async def send(self) -> None:
        """Send all that is due now, and wait for it."""
        while (await self.service.deliver_due(self.clock.now())).more:
            await self.service.settle()
        await self.service.settle()

    async def pass_time(self, by: timedelta, step: timedelta = timedelta(minutes=1)) -> None:
        """Let time go by in steps, sending what is due in each."""
        until = self.clock.now() + by
        while self.clock.now() < until:
            self.clock.advance(min(step, until - self.clock.now()))
            await self.send()

    async def deliveries(self, **filters: Any) -> Sequence[Delivery]:
        """Oldest first."""
        return list(reversed(await self.service.deliveries(1000, **filters)))

    async def states(self) -> list[State]:
        return [each.state for each in await self.deliveries()]

    async def one(self) -> Delivery:
        (found,) = await self.deliveries()
        return found


@asynccontextmanager
async def opened_town(
    database: Database, clock: ManualClock, settings: Settings = LOOPBACK, *, patience: float = 30
) -> AsyncIterator[Town]:
    """A town while the block runs: acme in New York, globex in UTC. Receivers have `patience` seconds."""
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO teams (id, name, time_zone, created_at) "
            "VALUES ('acme', 'Acme Inc.', 'America/New_York', now()), ('globex', 'Globex', 'UTC', now()) "
            "ON CONFLICT DO NOTHING"
        )
    service = Notifications(database, clock, settings, patience=patience)
    try:
        yield Town(database, clock, service)
    finally:
        await service.close()
