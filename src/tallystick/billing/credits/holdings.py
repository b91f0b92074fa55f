"""Locked grants as their ledger stands, and what is booked when that changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tallystick.billing.credits import store
from tallystick.billing.credits.chain import Slot, next_event, number_at, replay
from tallystick.billing.credits.models import Grant
from tallystick.billing.credits.posting import Posting, settlement
from tallystick.billing.credits.store import Stored
from tallystick.core.clock import EARLIEST
from tallystick.core.money import EXACT, ZERO
from tallystick.storage.database import Connection


@dataclass(slots=True)
class Holding:
    """A locked grant as its ledger stands: from allotment `first` on, and booked up to a moment."""

    grant: Grant
    settled_until: datetime
    first: int
    used: dict[int, Decimal]
    carried: Decimal

    def slots(self, until: datetime) -> list[Slot]:
        """The allotments from `first` on at a moment, or at that up to which they are booked if it is later."""
        moment = max(until, self.settled_until)
        return replay(self.grant, self.used, moment, first=self.first, carried=self.carried)

    def booked(self) -> list[Slot]:
        """The allotments from `first` on, as they are booked."""
        return self.slots(self.settled_until)

    def use(self, allotment: int, units: Decimal) -> None:
        """Note that more of an allotment is used; less, when `units` are negative."""
        self.used[allotment] = EXACT.add(self.used.get(allotment, ZERO), units)

    def settle(self, before: Sequence[Slot], until: datetime, since: datetime = EARLIEST) -> list[Posting]:
        """What is to be booked beside `before` up to a moment; see `posting.settlement` for `since`."""
        self.settled_until = max(self.settled_until, until)
        return list(settlement(self.grant, before, self.booked(), since))


async def load(tx: Connection, stored: Sequence[Stored], first: Callable[[Grant], int]) -> list[Holding]:
    """What grants that are locked hold, from the allotment that `first` names on or from an earlier one."""
    firsts = {grant.id: min(first(grant), number_at(grant, until)) for grant, until in stored}
    booked = await store.balances(tx, firsts)
    return [Holding(grant, until, firsts[grant.id], *booked[grant.id]) for grant, until in stored]


async def save(tx: Connection, holdings: Sequence[Holding]) -> None:
    """Note how far the grants are booked, and when something is next to be booked."""
    await store.settle_grants(
        tx, [(each.grant.id, each.settled_until, next_event(each.booked(), each.settled_until)) for each in holdings]
    )
