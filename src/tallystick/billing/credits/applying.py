"""Credits in the closing of a period: applied, foreseen, and given back when a statement is voided.

Everything happens in the transaction of whoever closes. Grants are locked first, in the order of their ids;
what they hold is read after that. So two closings of one team, or a closing and a void, take turns.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from tallystick.billing.credits import store
from tallystick.billing.credits.burning import Purse, Taking, burn, burns_of
from tallystick.billing.credits.chain import number_at, replay
from tallystick.billing.credits.holdings import Holding, load, save
from tallystick.billing.credits.models import Bill, Burn, Creditable
from tallystick.billing.credits.posting import (
    Account,
    Entry,
    Posting,
    TransactionKind,
    burn_postings,
    reversal_posting,
)
from tallystick.billing.credits.store import Application, Stored
from tallystick.core.clock import Interval
from tallystick.storage.database import Connection

MOMENT = datetime.resolution


async def apply(tx: Connection, team_id: str, period_id: int, lines: Sequence[Creditable], at: datetime) -> list[Burn]:
    """Pay the lines of a closing period with the team's credits, in this transaction, once.

    A grant pays for a period if the two share an instant; those that are void pay for nothing any more. They
    burn in the order of `burning.order`, each on the lines in the order given. Applied again for the same
    period, it answers what was burned and burns nothing more. The grants stay locked until the transaction
    ends.

    Args:
        tx: a transaction that writes, at any isolation level.
        team_id: whose period it is.
        period_id: its row in `metered_billing_periods`, which says when it begins and ends.
        lines: what is to be paid; amounts above zero.
        at: when this is recorded: the moment of closing.
    """
    return (await apply_many(tx, [Bill(team_id, period_id, lines)], at))[period_id]


async def apply_many(tx: Connection, bills: Sequence[Bill], at: datetime) -> Mapping[int, list[Burn]]:
    """`apply` for many periods at once: the burns by period id.

    Two statements in all while none of the teams has a grant that may pay.
    """
    if not bills:
        return {}
    period_ids = [bill.period_id for bill in bills]
    stored = await store.lock_grants_of_periods(tx, [bill.team_id for bill in bills], period_ids)
    found = await store.burns(tx, period_ids)
    if stored:
        applied = await store.applications(tx, period_ids)
        to_pay = [bill for bill in bills if _standing(applied.get(bill.period_id)) is None]
        found |= await _apply(tx, to_pay, stored, {id: len(done) // 2 for id, done in applied.items()}, at)
    return {period_id: found.get(period_id, []) for period_id in period_ids}


async def foreseen(
    tx: Connection,
    team_id: str,
    lines: Sequence[Creditable],
    at: datetime,
    *,
    period: Interval | None = None,
) -> list[Burn]:
    """What `apply` would burn, without writing.

    Args:
        tx: may be read-only.
        team_id: whose lines these are.
        lines: what is to be paid.
        at: grants, voids and burns that were recorded after this moment play no part.
        period: the period of the lines; default: the instant `at` alone.
    """
    during = period or Interval(at, at + MOMENT)
    stored = await store.grants_in_force(tx, team_id, during, at)
    if not stored:
        return []
    used = await store.used(tx, [each.grant.id for each in stored], recorded_by=at)
    purses = [Purse(grant, replay(grant, used[grant.id], max(during.end - MOMENT, until))) for grant, until in stored]
    return burns_of(burn(purses, lines, during))


async def reverse(tx: Connection, period_id: int, at: datetime) -> None:
    """Give back what was burned for a period, whose statement was voided at this moment.

    It goes back to the allotments that it came from. What of it has expired since pays no new period, but the
    same one if that is closed again. Without a burn to give back nothing happens.
    """
    if (standing := await _burn_for(tx, period_id)) is None:
        return
    burned = [entry for found in (await store.entries(tx, standing.transaction_ids)).values() for entry in found]
    stored = await store.lock_grants(tx, sorted({entry.grant_id for entry in burned}))
    if await _burn_for(tx, period_id) != standing:
        return  # it was given back while this waited
    postings = [reversal_posting(standing.team_id, period_id, at, burned)]
    holdings = await load(tx, stored, lambda grant: min(e.allotment for e in burned if e.grant_id == grant.id))
    for holding in holdings:
        postings += _given_back(holding, postings[0].entries, at)
    await store.book(tx, postings, at, applications={period_id: standing.number})
    await save(tx, holdings)


async def burns(tx: Connection, period_ids: Sequence[int]) -> Mapping[int, list[Burn]]:
    """What was burned for each of these periods and not given back, in the order in which it burned."""
    found = await store.burns(tx, period_ids)
    return {period_id: found.get(period_id, []) for period_id in period_ids}


def _standing(applied: Sequence[Application] | None) -> Application | None:
    """The burn that was not given back; None: there is none."""
    last = applied[-1] if applied else None
    return last if last and last.kind is TransactionKind.BURN else None


async def _burn_for(tx: Connection, period_id: int) -> Application | None:
    return _standing((await store.applications(tx, [period_id])).get(period_id))


class _Payment(NamedTuple):
    """What one bill takes, and all that is to be booked for it."""

    takings: Sequence[Taking]
    postings: Sequence[Posting]


async def _apply(
    tx: Connection, bills: Sequence[Bill], stored: Sequence[Stored], numbers: Mapping[int, int], at: datetime
) -> dict[int, list[Burn]]:
    """Pay bills of teams whose grants are locked, earlier periods first, and book it."""
    periods = await store.periods(tx, [bill.period_id for bill in bills])
    held = await _held(tx, stored, min(period.start for period in periods.values()) if periods else at)
    paid = dict[int, _Payment]()
    for bill in sorted(bills, key=lambda each: periods[each.period_id].end):
        if holdings := held.get(bill.team_id):
            paid[bill.period_id] = _pay(bill, periods[bill.period_id], holdings)
    postings = [posting for payment in paid.values() for posting in payment.postings]
    await store.book(tx, postings, at, applications={period_id: numbers.get(period_id, 0) for period_id in paid})
    await save(tx, [holding for holdings in held.values() for holding in holdings])
    return {period_id: burns_of(payment.takings) for period_id, payment in paid.items()}


async def _held(tx: Connection, stored: Sequence[Stored], since: datetime) -> dict[str, list[Holding]]:
    """What grants hold, by team, from the allotments at a moment on."""
    found: dict[str, list[Holding]] = defaultdict(list)
    for holding in await load(tx, stored, lambda grant: number_at(grant, since)):
        found[holding.grant.team_id].append(holding)
    return found


def _pay(bill: Bill, period: Interval, holdings: Sequence[Holding]) -> _Payment:
    """Pay one bill. Booked are the burn, and what became of the grants up to the period's end."""
    before = [each.booked() for each in holdings]
    takings = burn([Purse(each.grant, each.slots(period.end - MOMENT)) for each in holdings], bill.lines, period)
    postings = burn_postings(bill.team_id, bill.period_id, period.end, takings)
    for each, slots in zip(holdings, before, strict=True):
        for taking in takings:
            if taking.grant.id == each.grant.id:
                each.use(taking.allotment.number, taking.units)
        postings += each.settle(slots, period.end)
    return _Payment(takings, sorted(postings, key=attrgetter("effective_at")))


def _given_back(holding: Holding, reversed_entries: Sequence[Entry], at: datetime) -> list[Posting]:
    """What is to be booked of a grant beside the reversal: what has expired, or gone over, by now."""
    before = holding.booked()
    for entry in reversed_entries:
        if entry.grant_id == holding.grant.id and entry.account is Account.USED:
            holding.use(entry.allotment, entry.amount)
    return holding.settle(before, holding.settled_until, since=at)
