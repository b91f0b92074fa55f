"""What a stream tells, as server-sent events."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tallystick import __version__
from tallystick.billing.current import Current
from tallystick.http.answers import dumps

KEEP_ALIVE = b": keep-alive\n\n"
GOODBYE = b"event: goodbye\ndata: {}\n\n"
"""The server is stopping, or the key or token is not accepted any more: ask again."""

RETRY_MILLISECONDS = 2000


def message(event: str, data: Mapping[str, Any]) -> bytes:
    """One event."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), dumps(data))


def hello(now: datetime) -> bytes:
    """The first thing that a stream tells."""
    return b"retry: %d\n" % RETRY_MILLISECONDS + message("hello", {"at": now, "version": __version__})


def usage(current: Current) -> bytes:
    """A team's current period: the numbers of the usage report."""
    account = current.account
    data = {
        "team_id": account.team.id,
        "at": account.as_of,
        "period": {"start": account.period.start, "end": account.period.end},
        "currency": account.currency,
        "cost": _money(current.cost),
        "projected": _money(current.projected),
        "metrics": [
            {"metric": each.metric, "unit": each.unit, "quantity": each.quantity, "events": int(each.events),
             "cost": _money(each.cost)}
            for each in current.metrics
        ],
    }  # fmt: skip
    return message("usage", data)


def _money(amount: Decimal | None) -> str | None:
    """With the decimals of its currency, as reports write it."""
    return None if amount is None else format(amount, "f")


def touched(now: datetime, teams: Iterable[str], events: int) -> bytes:
    """Which teams' numbers may be others now, and how many events that came of."""
    return message("touched", {"at": now, "teams": sorted(teams), "events": events})
