"""From charged lines to what is on the bill: each line in the team's currency, and what credits pay of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from tallystick.billing.credits import Creditable
from tallystick.billing.currencies import Rates, rates_for
from tallystick.billing.models import Account, Line, Statement, exact_sum
from tallystick.core.money import EXACT, ZERO
from tallystick.pricing import Price, marginal
from tallystick.storage.database import Connection

MOMENT = datetime.resolution


async def converted(
    tx: Connection, accounts: Sequence[Account], charged: Sequence[Sequence[Line]], *, known_at: datetime | None = None
) -> list[list[Line]]:
    """The lines of each account in the currency that its team is billed in, at the rates of the period's last day.

    Raises:
        NoExchangeRate: there is none that is recent enough; the message names the gap.
    """
    pairs = {pair for account in accounts if (pair := _pair(account))}
    days = {rate_day(account) for account in accounts if _pair(account)}
    rates = await rates_for(tx, pairs, days, known_at=known_at)
    return [_convert(rates, account, lines) for account, lines in zip(accounts, charged, strict=True)]


def rate_day(account: Account) -> date:
    """The local day whose rate converts a period: its last one, or today while it is running."""
    moment = min(account.as_of, account.period.end - MOMENT)
    return moment.astimezone(account.team.zone).date()


def _pair(account: Account) -> tuple[str, str] | None:
    base, quote = account.currency, account.billing_currency
    return None if base is None or quote is None or base == quote else (base, quote)


def _convert(rates: Rates, account: Account, lines: Sequence[Line]) -> list[Line]:
    pair = _pair(account)
    if pair is None:
        return list(lines)
    find = rates.rate if account.final else rates.estimate  # what is not settled yet is better shown than refused
    rate = find(*pair, rate_day(account), account.agreed.exchange_rates)
    return [line if line.total is None else replace(line, conversion=rate.convert(line.total)) for line in lines]


def creditables(statement: Statement) -> list[Creditable]:
    """What of a statement credits can pay: every line above zero, less what lines below zero take off.

    The lines below zero (discounts, adjustments in the team's favour) come off the last ones first, so that
    credits never pay more than the statement comes to.
    """
    currency = statement.account.billing_currency or ""
    due = {line.key: line.due or ZERO for line in statement.lines}
    off = EXACT.minus(exact_sum(amount for amount in due.values() if amount < 0))
    for key in reversed(due):
        piece = min(off, max(due[key], ZERO))
        due[key], off = EXACT.subtract(due[key], piece), EXACT.subtract(off, piece)
    return [_creditable(line, due[line.key], currency) for line in statement.lines if due[line.key] > 0]


def _creditable(line: Line, amount: Decimal, currency: str) -> Creditable:
    value_of = partial(_value_of, line)
    return Creditable(line.key, line.metric, amount, currency, line.quantity, value_of)


def _value_of(line: Line, quantity: Decimal) -> Decimal:
    """What the last units of a line cost, in the currency of the bill."""
    if not line.quantity or line.charge is None:
        return ZERO
    price: Price | None = line.price.price if line.price else None
    left = max(ZERO, EXACT.subtract(line.quantity, quantity))
    if price is None or price.group_by or price.needs_each_event or line.adjusts:
        worth = EXACT.divide(EXACT.multiply(line.charge.amount, min(quantity, line.quantity)), line.quantity)
    else:
        worth = marginal(price, left, line.quantity).amount
    return EXACT.multiply(worth, line.conversion.rate) if line.conversion else worth
