"""How much more or less is used in an hour than in the same hour of past weeks. Pure.

The hour is one of the team's clocks, and the same hour of past weeks is the one that they show on the same weekday.
Of those weeks the ones count in which there was anything in that hour; two are needed, or there is nothing to compare.

A rise is looked for in the hour that is running, against the whole of past ones: it can only be too early to see it,
never wrong. A fall is looked for when an hour is over, with some minutes for events that come late.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tallystick.alerts.models import HUNDRED, Alert, Measured
from tallystick.billing.models import Account, exact_sum
from tallystick.billing.periods import instant_of
from tallystick.core.clock import Interval, Window, next_window, window_start
from tallystick.core.money import EXACT, plain
from tallystick.metering.models import Usage
from tallystick.metering.usage import UsageQuestion

SETTLED = timedelta(minutes=5)
"""How long after its end an hour is taken to be complete."""

FEWEST_WEEKS = 2
FINEST = Decimal("0.000001")
UNIT = "%"


def hour_looked_at(alert: Alert, account: Account) -> Interval:
    """The hour that is running; of a fall the last one that is complete."""
    tz, now = account.team.zone, account.as_of
    if not alert.falling:
        return _hour(now, account)
    running = window_start(now - SETTLED, Window.HOUR, tz)
    return _hour(running - timedelta.resolution, account)


def rate_questions(alert: Alert, account: Account, known_at: datetime | None) -> list[UsageQuestion]:
    """What has to be read: the hour, then the same one of each past week; of a fall first what came after the hour."""
    assert alert.metric is not None
    looked = hour_looked_at(alert, account)
    hours = [looked, *(_weeks_before(looked, weeks, account) for weeks in range(1, alert.weeks + 1))]
    if alert.falling:
        hours.insert(0, Interval(looked.end, end_of_hour(account)))
    return [UsageQuestion(alert.metric, account.team.id, [hour], known_at=known_at) for hour in hours]


def rate_measured(alert: Alert, account: Account, answers: Sequence[Sequence[Usage]]) -> Measured:
    """The change in percent, to six decimals; None: there is nothing to compare with."""
    found = [usage for [usage] in answers]
    later = found.pop(0) if alert.falling else None
    hour, past = found[0], [usage.quantity for usage in found[1:] if usage.events and usage.quantity is not None]
    check_at = _next_look(account) if later and (later.events or hour.events) else None
    mean = EXACT.divide(exact_sum(past), Decimal(len(past))) if len(past) >= FEWEST_WEEKS else None
    used = hour.quantity or Decimal(0)
    seen = {"hour": hour.window.start.isoformat(), "used": plain(used), "weeks": str(len(past))}
    if not mean:
        return Measured(None, UNIT, seen, check_at)
    seen["mean"] = plain(mean.quantize(FINEST, rounding=ROUND_HALF_UP, context=EXACT))
    change = EXACT.multiply(EXACT.divide(EXACT.subtract(used, mean), mean.copy_abs()), HUNDRED)
    return Measured(change.quantize(FINEST, rounding=ROUND_HALF_UP, context=EXACT), UNIT, seen, check_at)


def end_of_hour(account: Account) -> datetime:
    """When the hour that is running ends on the team's clocks."""
    return _hour(account.as_of, account).end


def _next_look(account: Account) -> datetime:
    """When the next hour is complete."""
    tz = account.team.zone
    running = window_start(account.as_of - SETTLED, Window.HOUR, tz)
    return next_window(running, Window.HOUR, tz) + SETTLED


def _hour(moment: datetime, account: Account) -> Interval:
    tz = account.team.zone
    start = window_start(moment, Window.HOUR, tz)
    return Interval(start, next_window(start, Window.HOUR, tz))


def _weeks_before(hour: Interval, weeks: int, account: Account) -> Interval:
    """The hour that the team's clocks show so many weeks earlier."""
    tz = account.team.zone
    wall = hour.start.astimezone(tz).replace(fold=0) - timedelta(weeks=weeks)  # wall time, since it has a zone
    return _hour(instant_of(wall, tz), account)
