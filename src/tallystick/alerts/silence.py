"""How long nothing has come from a team, or of a metric."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal

from tallystick.alerts.models import Alert, Check, Measured
from tallystick.billing.models import Account
from tallystick.core.clock import Interval, Window, windows, zone
from tallystick.core.money import EXACT
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import EventFilter, MetricVersion
from tallystick.metering.usage import UsageQuestion, UsageReader

UNIT = "minutes"
UTC = zone("UTC")
AHEAD = timedelta(days=1)
"""Events may be dated some time ahead of the clock; those are no silence."""

FEW_DAYS = timedelta(days=7)
FINEST = Decimal("0.000001")
MINUTE = timedelta(minutes=1)


class Silences:
    """Finds the last event."""

    def __init__(self, usage: UsageReader, store: EventStore) -> None:
        self._usage = usage
        self._store = store

    async def measure(
        self, alert: Alert, account: Account, check: Check | None, versions: Sequence[MetricVersion]
    ) -> Measured:
        """The minutes since the last event; None: there was none, and nothing says since when one is waited for.

        A team that is named is waited for since the alert was made; one that is on a plan, or any team, since its
        first event.
        """
        widest = max(_minutes(alert.limit(step)) for step in alert.steps)
        within = Interval(account.as_of - widest, account.as_of + AHEAD)
        last = await self._last(alert, account, versions, within)
        waited = alert.created_at if alert.team_id is not None else None
        known = [each for each in (last, check.since if check else None) if each is not None]
        since = max(known) if known else waited
        if since is None:
            return Measured(None, UNIT)
        limits = (since + _minutes(alert.limit(step)) for step in alert.steps)
        check_at = min((at for at in limits if at > account.as_of), default=None)
        return Measured(_length(since, account.as_of), UNIT, {}, check_at, since)

    async def _last(
        self, alert: Alert, account: Account, versions: Sequence[MetricVersion], within: Interval
    ) -> datetime | None:
        known_at = account.known_at
        if alert.metric is not None:
            found = await self._piece_of_last(alert.metric, account.team.id, within, known_at)
            if found is None:
                return None
            within = found
        wanted = EventFilter(account.team.id, interval=within, corrected=False, versions=versions, known_at=known_at)
        page = await self._store.events(wanted, limit=1)
        return page.events[0].occurred_at if page.events else None

    async def _piece_of_last(
        self, metric: str, team_id: str, within: Interval, known_at: datetime | None
    ) -> Interval | None:
        """The last piece of the interval in which the metric has events; few are left to be looked through."""
        size = Window.HOUR if within.end - within.start <= FEW_DAYS else Window.DAY  # as roll-ups are kept
        pieces = windows(within, size, UTC)
        [answer] = await self._usage.read([UsageQuestion(metric, team_id, pieces, known_at=known_at)])
        return next((usage.window for usage in reversed(answer) if usage.events), None)


def _minutes(limit: Decimal) -> timedelta:
    return MINUTE * int(limit)


def _length(since: datetime, now: datetime) -> Decimal:
    """Minutes, to six decimals, rounded down; none where the event is dated ahead."""
    microseconds = max(now - since, timedelta()) // timedelta.resolution
    minutes = EXACT.divide(Decimal(microseconds), Decimal(MINUTE // timedelta.resolution))
    return minutes.quantize(FINEST, rounding=ROUND_DOWN, context=EXACT)
