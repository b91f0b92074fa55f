"""What Stripe found wrong after it had said yes: its error reports, which come as webhooks and show samples alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.models import VOID, State
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.integrations.stripe.outcomes import AHEAD, NOT_SET_UP, TOO_OLD
from tallystick.storage.database import Connection

LOOK_AFTER = timedelta(hours=1)
"""When lanes that a report is about are held against Stripe's summaries: the report need not name every event."""

HELD = timedelta(minutes=10)


class Rejection(NamedTuple):
    """An event that a report shows.

    Attributes:
        reference: the event's identifier or its request's idempotency key, which begins with it.
        code: why it was not counted.
        message: the same for people.
    """

    reference: str
    code: str
    message: str


class Reported(NamedTuple):
    """What became of a report: deltas that are void or set aside, and references that are none of ours."""

    rejected: int
    unknown: int


def rejections_in(data: Mapping[str, Any]) -> list[Rejection]:
    """The samples in the data of `v1.billing.meter.error_report_triggered` or `v1.billing.meter.no_meter_found`."""
    return [
        Rejection(str(request.get("identifier") or request.get("idempotency_key") or ""), code, message)
        for kind in (data.get("reason") or {}).get("error_types") or ()
        for sample in kind.get("sample_errors") or ()
        if (request := sample.get("request") or {}) is not None
        for code, message in [(str(kind.get("code", "")), str(sample.get("error_message", "")))]
    ]


async def report_rejections(connection: Connection, rejections: Sequence[Rejection], now: datetime) -> Reported:
    """Take events that Stripe did not count out of what it was told. For a webhook that is answered 2xx in any case.

    What is wrong with the set-up (meter, customer) or the clocks is booked anew and waits in its lane until that is put
    right; what Stripe will never take is quarantined; what is too old is late. Repeats change nothing.

    Args:
        connection: a transaction.
        rejections: the samples of a report.
        now: when.
    """
    reasons = {each.reference: each for each in rejections}
    lanes = {each.lane_id for each in await store.by_reference(connection, list(reasons))}
    await store.hold(connection, lanes)
    named = await store.by_reference(connection, list(reasons))
    for delta in named:
        if delta.alone and delta.state not in VOID:
            await _reject(connection, delta, reasons[delta.reference], now)
    await store.suspect(connection, lanes, now + LOOK_AFTER)
    known = {each.reference for each in named}
    return Reported(sum(each.alone for each in named), len(reasons.keys() - known))


async def _reject(tx: Connection, delta: store.Named, rejection: Rejection, now: datetime) -> None:
    told = f"{rejection.code}: {rejection.message}"
    if rejection.code in TOO_OLD:
        await store.settled(tx, [store.Settled(delta.id, State.LATE, None)], now)
    elif rejection.code in NOT_SET_UP or rejection.code in AHEAD:
        lanes = await void(tx, [delta.id], State.REJECTED, drift="rejected", cause=told, now=now)
        await store.hold_back(tx, lanes, told, now, now + HELD)
    else:
        await store.settled(tx, [store.Settled(delta.id, State.QUARANTINED, told)], now)
