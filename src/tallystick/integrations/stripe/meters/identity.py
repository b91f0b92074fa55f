"""What a delta is called at Stripe: the same for ever, in every process, and of nothing that changes."""

import hashlib
from base64 import b32encode
from datetime import UTC, datetime

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.meters.models import Kind, Lane

PREFIX = "ts1_"
LENGTH = 52


def identifier(lane: Lane, kind: Kind, window: Interval, seq: int) -> str:
    """The identifier of a delta: 56 characters, of account and mode, customer, meter, window and number.

    There is no time of sending in it and no number of tries, so that a resend is the same event. The meter is in it
    because nobody knows whether identifiers are unique in an account or in a meter.
    """
    whose = (lane.account, lane.customer_id, lane.event_name)
    parts = (*whose, kind, _instant(window.start), _instant(window.end), str(seq))
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return PREFIX + b32encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=").lower()[:LENGTH]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
