"""The prepaid credits of a report: what is left of them, and what pays for the period that is reported.

A closed period shows what was booked when it closed. Any other shows what closing it now would burn, by the code
that does; the lines are the report's, so adjustments of earlier periods, which the open statement adds, play no part.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing import credits
from tallystick.billing.credits import Burn, Grant, GrantKind, store
from tallystick.billing.credits.balances import balance_of, by_unit
from tallystick.billing.credits.service import MOST_GRANTS
from tallystick.billing.currencies.models import NoExchangeRate
from tallystick.billing.models import Account, Line, Statement
from tallystick.billing.statements.assembly import converted, creditables
from tallystick.core.money import round_money
from tallystick.storage.database import Connection


class ReportedBurn(NamedTuple):
    """What a grant pays of one line.

    Attributes:
        grant_id, name, kind: the grant.
        line: the line's key.
        amount: money, rounded to the currency of the bill.
        currency: of the bill.
        quantity: units of the grant's metric; None: the grant is of money.
    """

    grant_id: int
    name: str
    kind: GrantKind
    line: str
    amount: Decimal
    currency: str
    quantity: Decimal | None


class ReportedCredits(NamedTuple):
    """What a team has of one currency, or of one metric's unit.

    Attributes:
        currency, metric: which of the two it is; the other is None.
        granted: what was given by now; of a recurring grant every time.
        remaining: what is left now. What an open period would burn is still in it.
        booked: whether `burns` are booked; else they are foreseen.
        burns: in the order of burning; None: it can't be foreseen.
    """

    currency: str | None
    metric: str | None
    granted: Decimal
    remaining: Decimal
    booked: bool
    burns: Sequence[ReportedBurn] | None


class _Paid(NamedTuple):
    """What credits pay of a period, in the currency of its bill; burns are None where that can't be foreseen."""

    booked: bool
    currency: str
    burns: Sequence[Burn] | None


async def has_grants(tx: Connection, team_id: str) -> bool:
    """Whether the team was ever granted credits."""
    return bool(await store.grants(tx, team_id, 1))


async def reported_credits(tx: Connection, account: Account, lines: Sequence[Line] | None) -> list[ReportedCredits]:
    """The balances as of the account's moment, and what of them pays for its period.

    Args:
        tx: may be read-only.
        account: whose, for which period, seen from when.
        lines: all lines of the period; None: not all are known, so nothing can be foreseen.
    """
    grants = {each.grant.id: each.grant for each in await store.grants(tx, account.team.id, MOST_GRANTS)}
    used = await store.used(tx, list(grants), effective_by=account.as_of)
    paid = await _booked(tx, account) or await _foreseen(tx, account, lines)
    return [
        ReportedCredits(each.currency, each.metric, each.balance.granted, each.balance.available, paid.booked,
                        _of_unit(paid, grants, each.currency or each.metric or ""))
        for each in by_unit(balance_of(grant, used[grant.id], account.as_of) for grant in grants.values())
    ]  # fmt: skip


async def _booked(tx: Connection, account: Account) -> _Paid | None:
    """What was burned when the period closed; None: it has not."""
    if account.subscription is None:
        return None
    closed = await store.closed_period(tx, account.subscription.id, account.period.start)
    if closed is None:
        return None
    period_id, currency = closed
    return _Paid(True, currency, (await credits.burns(tx, [period_id]))[period_id])


async def _foreseen(tx: Connection, account: Account, lines: Sequence[Line] | None) -> _Paid:
    currency = account.billing_currency or ""
    if lines is None:
        return _Paid(False, currency, None)
    try:
        [charged] = await converted(tx, [account], [lines], known_at=account.known_at)
    except NoExchangeRate:  # a report is in the plan's currency, and does not fail for want of a rate
        return _Paid(False, currency, None)
    to_pay = creditables(Statement(account, charged))
    burned = await credits.foreseen(tx, account.team.id, to_pay, account.as_of, period=account.period)
    return _Paid(False, currency, burned)


def _of_unit(paid: _Paid, grants: Mapping[int, Grant], unit: str) -> list[ReportedBurn] | None:
    if paid.burns is None:
        return None
    return [_shown(grants[each.grant_id], each, paid.currency) for each in paid.burns
            if grants[each.grant_id].unit == unit]  # fmt: skip


def _shown(grant: Grant, burn: Burn, currency: str) -> ReportedBurn:
    amount = round_money(burn.amount, currency)  # with the currency's decimals; it is rounded already
    return ReportedBurn(grant.id, grant.name, grant.kind, burn.line_key, amount, currency, burn.quantity)
