"""What open statements come to, and what is left of credits once they are paid. The bill's own code is asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.alerts.models import Alert, Measured
from tallystick.billing import credits
from tallystick.billing.credits import Burn, Grant, store
from tallystick.billing.credits.balances import balance_of
from tallystick.billing.credits.service import MOST_GRANTS
from tallystick.billing.currencies import rates_for
from tallystick.billing.models import Account, Line, Statement, due_of, exact_sum
from tallystick.billing.statements.assembly import creditables, rate_day
from tallystick.core.clock import Interval
from tallystick.core.money import EXACT
from tallystick.storage.database import Connection

MOMENT = datetime.resolution


class Amount(NamedTuple):
    """An amount of an account, in a currency; None: there is none to tell."""

    account: Account
    value: Decimal | None
    currency: str | None


def cost_of(alert: Alert, statement: Statement) -> Amount:
    """What the statement comes to before credits, or those of its lines that are about the alert's metric."""
    currency = statement.account.billing_currency
    if alert.metric is None:
        return Amount(statement.account, statement.subtotal, currency)
    about: Sequence[Line] = [line for line in statement.lines if line.metric == alert.metric]
    return Amount(statement.account, due_of(about) if currency else None, currency)


async def in_currencies(
    tx: Connection, amounts: Sequence[tuple[Alert, Amount]], known_at: datetime | None
) -> list[Measured]:
    """Each amount in the currency of its alert, at the rate at which a statement of today would convert it.

    Raises:
        NoExchangeRate: there is no rate at all.
    """
    wanted = [alert.currency or amount.account.billing_currency for alert, amount in amounts]
    pairs = {
        (amount.currency, currency)
        for (_, amount), currency in zip(amounts, wanted, strict=True)
        if amount.value is not None and amount.currency and currency and amount.currency != currency
    }
    rates = await rates_for(tx, pairs, {rate_day(amount.account) for _, amount in amounts}, known_at=known_at)
    found = []
    for (_, amount), currency in zip(amounts, wanted, strict=True):
        value = amount.value
        if value is not None and amount.currency and currency and amount.currency != currency:
            pinned = amount.account.agreed.exchange_rates
            value = rates.estimate(amount.currency, currency, rate_day(amount.account), pinned).convert(value).converted
        found.append(Measured(value, currency or ""))
    return found


async def credit_left(tx: Connection, alert: Alert, statement: Statement, unit: str) -> Measured:
    """What the team has of a currency or of a metric's unit, less what the open statement will take of it.

    None for a team that was never granted any. It is what was recorded by the account's moment.
    """
    account = statement.account
    at, team_id = account.as_of, account.team.id
    if not any(_of(alert, each.grant) for each in await store.grants(tx, team_id, MOST_GRANTS)):
        return Measured(None, unit)
    stored = await store.grants_in_force(tx, team_id, Interval(at, at + MOMENT), at)
    held = {each.grant.id: each.grant for each in stored if _of(alert, each.grant)}
    used = await store.used(tx, list(held), recorded_by=at)
    balances = [balance_of(grant, used[grant.id], at) for grant in held.values()]
    available = exact_sum(each.balance.available for each in balances)
    burns = await credits.foreseen(tx, team_id, creditables(statement), at, period=account.period)
    left = EXACT.subtract(available, _burned(burns, held))
    lapses = min((each.lapses_at for each in balances if each.lapses_at), default=None)
    return Measured(left, unit, check_at=lapses)


def _of(alert: Alert, grant: Grant) -> bool:
    return grant.metric == alert.metric if alert.metric else grant.currency == alert.currency


def _burned(burns: Sequence[Burn], held: Mapping[int, Grant]) -> Decimal:
    """Units of the grants that burn: money, or usage."""
    return exact_sum(each.amount if each.quantity is None else each.quantity for each in burns if each.grant_id in held)
