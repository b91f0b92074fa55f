"""Deltas that Stripe does not count, and never will: what they were about is booked anew, and why is written down.

Nothing is sent again under a name that was used: the window's usage is another than what is booked of it now, so the
next round of planning books the difference, with the next number.
"""

from collections.abc import Sequence
from datetime import datetime

from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.models import VOID, State
from tallystick.storage.database import Connection


async def void(tx: Connection, ids: Sequence[int], state: State, *, drift: str, cause: str, now: datetime) -> list[int]:
    """Declare deltas lost, rejected or cancelled; the lanes of those that were not void before.

    Args:
        tx: a transaction.
        ids: the deltas.
        state: one of `VOID`.
        drift: for the record of repairs: `missing`, `extra`, `doubt` or `rejected`.
        cause: why, in a line.
        now: when.
    """
    if state not in VOID:
        raise ValueError(f"{state} is not void")
    changed = await store.settled(tx, [rows.Settled(id, state, cause) for id in ids], now)
    for id, lane_id, quantity, _ in changed:
        await store.note_repair(tx, lane_id, id, quantity, drift=drift, action=str(state), cause=cause, now=now)
    await store.uncarry(tx, [id for id, *_ in changed])
    lanes = {lane_id for _, lane_id, *_ in changed}
    teams = await store.teams_of_lanes(tx, lanes)
    await store.replan(tx, [(teams[lane_id], start) for _, lane_id, _, start in changed])
    return sorted(lanes)
