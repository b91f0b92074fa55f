"""From when on Stripe's meters are told a team's usage, and of which customer it is."""

from datetime import datetime, timedelta

from tallystick.billing.accounts import account_of
from tallystick.integrations.stripe.meters import store
from tallystick.integrations.stripe.meters.models import OLDEST, LatePolicy
from tallystick.integrations.stripe.meters.windows import hour_of
from tallystick.storage.database import Connection


async def enrol(
    tx: Connection,
    account: str,
    team_id: str,
    customer_id: str,
    *,
    now: datetime,
    late_policy: LatePolicy = LatePolicy.NEXT_PERIOD,
    metered_from: datetime | None = None,
) -> None:
    """Let Stripe's meters be told a team's usage. Again with the same customer: the policy alone may change.

    Args:
        tx: a transaction.
        account: the account and mode, such as `acct_1/test`.
        team_id: whose usage.
        customer_id: who it is there.
        now: when.
        late_policy: what becomes of usage that comes when its period's invoice is final.
        metered_from: usage before it is none of Stripe's. Default: the start of the billing period that is running,
            if Stripe takes what is so old; for a team that had another customer before, this hour, because the
            earlier usage was told to the other one.

    Raises:
        NotFound: there is no such team.
    """
    start = (await account_of(tx, team_id, now)).period.start
    known = await store.find_metered(tx, team_id)
    since = metered_from or max(start, hour_of(now - OLDEST + timedelta(days=1)))
    looked_until = since
    if known is not None:
        before_account, before_customer, active, before_from, before_until = known
        if (before_account, before_customer, active) == (account, customer_id, True):
            since, looked_until = before_from, before_until
        else:
            since = looked_until = max(since, hour_of(now))
    values = {"team_id": team_id, "account": account, "customer_id": customer_id, "late_policy": str(late_policy)}
    await store.enrol(tx, {**values, "metered_from": since, "planned_until": looked_until, "now": now})


async def withdraw(tx: Connection, team_id: str) -> None:
    """Let Stripe's meters be told a team's usage no more. What is booked already is still sent."""
    await store.withdraw(tx, team_id)
