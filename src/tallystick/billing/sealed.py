"""Charging as of a sealed instant: what is known at it never changes again, so it can be closed and checked later.

Usage as it was known at an instant takes raw events for the hours that have changed since. As it is known now it
comes from the roll-ups alone, and that is nearly always the same; so now is read first, and only what has changed is
read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.billing.charging import Charging, charge
from tallystick.billing.models import Account, Line
from tallystick.billing.tariffs import latest_definitions
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import Known
from tallystick.metering.usage import UsageReader


@dataclass(frozen=True, slots=True)
class SealedCharging:
    """Charges many accounts at once."""

    usage: UsageReader
    store: EventStore

    async def lines(self, accounts: Sequence[Account], *, sealed: datetime, as_of: datetime) -> list[list[Line]]:
        """The lines of each account, of what was known at `sealed`.

        Args:
            accounts: whose terms were loaded as known at `sealed`.
            sealed: an instant that `EventStore.seal` returned.
            as_of: up to when levels hold in windows still running.
        """
        definitions = list(latest_definitions(await self.usage.metrics()).values())
        now = [Charging.of(replace(account, known_at=None), definitions) for account in accounts]
        found = await charge(self.usage, now, as_of=as_of)
        asked = [Known(account.team.id, account.period, sealed) for account in accounts]
        changed = [place for place, metrics in enumerate(await self.store.changed(asked)) if metrics]
        if changed:
            again = [Charging.of(replace(accounts[place], known_at=sealed), definitions) for place in changed]
            for place, lines in zip(changed, await charge(self.usage, again, as_of=as_of), strict=True):
                found[place] = lines
        return found
