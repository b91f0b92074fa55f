"""What Stripe found wrong after it had said yes: its error reports, which come as webhooks and show samples alone.

What a report names is taken out of what Stripe was told. It may be about more: events that were sent with one that it
names, or, where it shows fewer than it counts, any that was sent then. Their lanes are held against Stripe's summaries,
which say what is missing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.models import VOID, State
from tallystick.integrations.stripe.meters.telling import rejected
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.integrations.stripe.outcomes import AHEAD, NOT_SET_UP, REPEATED, TOO_OLD, UNUSABLE
from tallystick.notifications import enqueue
from tallystick.storage.database import Connection

LOOK_AFTER = timedelta(hours=1)
"""When lanes that a report is about are held against Stripe's summaries: the report need not name every event."""

HELD = timedelta(minutes=10)

SKEW = timedelta(minutes=10)
"""How far Stripe's clock may be from ours, and how long it may look at an event after it has said yes."""


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

    @property
    def told(self) -> str:
        """Both, for people."""
        return f"{self.code}: {self.message}"


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


def unnamed_since(data: Mapping[str, Any]) -> datetime | None:
    """Since when events may be missing that a report does not show; None: it shows them all."""
    reason = data.get("reason") or {}
    if int(reason.get("error_count") or 0) <= len(rejections_in(data)):
        return None
    try:
        return datetime.fromisoformat(str(data.get("validation_start")))
    except ValueError:
        return None


async def report_rejections(
    connection: Connection,
    rejections: Sequence[Rejection],
    now: datetime,
    *,
    account: str | None = None,
    since: datetime | None = None,
) -> Reported:
    """Take events that Stripe did not count out of what it was told. For a webhook that is answered 2xx in any case.

    What is wrong with the set-up (meter, customer) or the clocks is booked anew and waits in its lane until that is put
    right; what Stripe will never take is quarantined; what is too old is late; what it took for a repeat is there. Of
    codes that are not known nothing is concluded: the summaries decide. Repeats change nothing.

    Args:
        connection: a transaction.
        rejections: the samples of a report.
        now: when.
        account: whose report it is.
        since: since when events may be missing that it does not show; None: it shows them all.
    """
    reasons = {each.reference: each for each in rejections}
    lanes = {each.lane_id for each in await store.by_reference(connection, list(reasons))}
    await store.hold(connection, lanes)
    named = await store.by_reference(connection, list(reasons))
    for delta in named:
        if delta.alone and delta.state not in VOID:
            await _reject(connection, delta, reasons[delta.reference], now)
    await _note(connection, [each for each in named if not each.alone], reasons)
    await store.suspect(connection, lanes, now + LOOK_AFTER)
    if account is not None and since is not None:
        await store.suspect_told_since(connection, account, since - SKEW, now + LOOK_AFTER)
    await _tell(connection, named, reasons, now)
    known = {each.reference for each in named}
    return Reported(sum(each.alone for each in named), len(reasons.keys() - known))


async def _reject(tx: Connection, delta: rows.Named, rejection: Rejection, now: datetime) -> None:
    told = rejection.told
    if rejection.code in TOO_OLD:
        await store.settled(tx, [rows.Settled(delta.id, State.LATE, None)], now)
    elif rejection.code in NOT_SET_UP or rejection.code in AHEAD:
        lanes = await void(tx, [delta.id], State.REJECTED, drift="rejected", cause=told, now=now)
        await store.hold_back(tx, lanes, told, now, now + HELD)
    elif rejection.code in UNUSABLE:
        await store.settled(tx, [rows.Settled(delta.id, State.QUARANTINED, told)], now)
    elif rejection.code not in REPEATED:
        await store.reported(tx, [delta.id], told)


async def _note(tx: Connection, together: Sequence[rows.Named], reasons: Mapping[str, Rejection]) -> None:
    """Write beside what was sent together that something of it was not counted."""
    for reference in {each.reference for each in together if reasons[each.reference].code not in REPEATED}:
        ids = [each.id for each in together if each.reference == reference]
        await store.reported(tx, ids, reasons[reference].told)


async def _tell(tx: Connection, named: Sequence[rows.Named], reasons: Mapping[str, Rejection], now: datetime) -> None:
    told = Counter((each.team_id, reasons[each.reference].told) for each in named if _matters(each, reasons))
    await enqueue(tx, [rejected(team_id, reason, number, now) for (team_id, reason), number in told.items()])


def _matters(each: rows.Named, reasons: Mapping[str, Rejection]) -> bool:
    return each.alone and each.state not in VOID and reasons[each.reference].code not in REPEATED
