"""What is done with a billing file: show what applying it would change, apply it, and give it back."""

from datetime import datetime

from tallystick.catalog import store, store_state, store_writes
from tallystick.catalog.errors import RetroactiveChange
from tallystick.catalog.models import Catalogue, Defaults, Plan
from tallystick.catalog.planning import Draft, draft
from tallystick.catalog.render import headline
from tallystick.core.clock import Clock
from tallystick.metering.seal import recording_at
from tallystick.storage.database import Connection, Database


async def plan_changes(db: Database, catalogue: Catalogue, clock: Clock) -> Plan:
    """What applying the catalogue now would change. Writes nothing.

    Raises:
        CatalogueError: the file asks for what can't change any more, such as a metric's aggregation.
    """
    async with db.snapshot() as tx:
        return (await _draft(tx, catalogue, await store.moment(tx, clock.now()))).plan


async def apply(db: Database, catalogue: Catalogue, clock: Clock, *, allow_retroactive: bool = False) -> Plan:
    """Make the database say what the catalogue says, in one transaction; gives what was changed.

    Undated changes hold from the clock's now. Where nothing differs, nothing is written. Two applies, or an
    apply and a roll-up, wait for each other.

    Raises:
        CatalogueError: the file asks for what can't change any more.
        RetroactiveChange: it changes what past usage counts or costs, without `allow_retroactive`.
        Conflict: somebody made one of its new teams in the meantime.
    """
    async with db.transaction() as tx:
        await store.lock(tx)
        await store.lock_teams(tx, catalogue.teams)
        now = await recording_at(tx, await store.moment(tx, clock.now()))
        plan, writes = await _draft(tx, catalogue, now)
        if plan.retroactive and not allow_retroactive:
            raise RetroactiveChange([headline(change) for change in plan.retroactive])
        if plan.differences:
            await store_writes.write(tx, writes, plan.at)
            await store_writes.keep_source(tx, catalogue, plan.at)
        return plan


async def export(db: Database) -> str | None:
    """The text of the file that was applied last; None before the first time."""
    async with db.snapshot() as tx:
        return await store.latest_source(tx)


async def defaults(db: Database) -> Defaults:
    """What a team gets that registers itself with its first event."""
    async with db.snapshot() as tx:
        return await store.defaults(tx)


async def _draft(tx: Connection, catalogue: Catalogue, now: datetime) -> Draft:
    return draft(catalogue, await store_state.read_state(tx, catalogue.teams, now), now)
