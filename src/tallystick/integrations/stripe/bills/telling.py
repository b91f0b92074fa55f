"""Tells people that a bill needs them: once for each thing that is wrong with it."""

import hashlib
from datetime import datetime

from tallystick.core.money import plain
from tallystick.integrations.stripe.bills.models import Bill
from tallystick.notifications.models import Fact, Notification
from tallystick.notifications.outbox import enqueue
from tallystick.storage.database import Connection

KIND = "stripe.bill"


async def tell(tx: Connection, bill: Bill, what: str, why: str, now: datetime) -> None:
    """Tell of a bill, in the transaction that found out.

    Args:
        tx: a transaction.
        bill: which.
        what: a word for it: `held`, `void`.
        why: a sentence, as from Stripe.
        now: when.
    """
    digest = hashlib.sha256(why.encode()).hexdigest()[:16]
    facts: list[Fact] = [
        {"label": "Team", "value": bill.team_id},
        {"label": "Statement", "value": str(bill.period_id)},
        {"label": "Amount", "value": f"{plain(bill.due)} {bill.currency}"},
        {"label": "At Stripe", "value": bill.number or bill.stripe_id or "not yet"},
    ]
    content = {"title": f"Bill {bill.id} of {bill.team_id} at Stripe: {what}", "text": why, "facts": facts}
    await enqueue(tx, [Notification(f"stripe:bill:{bill.id}:{what}:{digest}", KIND, None, (), content, now)])
