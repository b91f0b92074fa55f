"""Who is watched in which period: the accounts of teams at a moment, and an alert's look at one of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from tallystick.alerts.models import OF_A_PERIOD, Alert, Check, Kind, Measured, Stand
from tallystick.alerts.rate import hour_looked_at
from tallystick.billing.accounts import MOMENT, Occasion, load_accounts, occasion_of
from tallystick.billing.models import Account
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.models import Subscription, Team
from tallystick.core.clock import Interval, Window, next_window, window_start
from tallystick.storage.database import Connection

LATE = timedelta(days=3)
"""How long a period that is over is still watched, unless it is closed before."""


MOVED = timedelta(hours=26)
"""By how much a period's bounds move at most when its team moves to another time zone."""


class Span(NamedTuple):
    """The period in which a step is crossed once; without an end, a silence that lasts."""

    start: datetime
    end: datetime | None

    def is_that_of(self, stand: Stand) -> bool:
        """Whether a step stands in this period, whose bounds may have moved with the team's time zone since."""
        if stand.period_start == self.start or self.end is None or stand.period_end is None:
            return stand.period_start == self.start
        shared = min(self.end, stand.period_end) - max(self.start, stand.period_start)
        shorter = min(self.end - self.start, stand.period_end - stand.period_start)
        return abs(self.start - stand.period_start) <= MOVED and shared * 2 > shorter

    def standing(self, stands: Iterable[Stand]) -> dict[int, Stand]:
        """How steps stand in this period, by step."""
        mine = [each for each in stands if self.is_that_of(each)]
        mine.sort(key=lambda each: abs(self.start - each.period_start), reverse=True)  # the nearest one counts
        return {each.step_id: each for each in mine}


class Periods(NamedTuple):
    """A team's account in the period that is running, and in the one before while that is not closed."""

    current: Account
    before: Account | None

    @property
    def family(self) -> str | None:
        """The plan that the team is on, without its version."""
        return self.current.subscription.family if self.current.subscription else None


class Watch(NamedTuple):
    """An alert's look at a team, in one period.

    Attributes:
        alert: what is looked for.
        account: whose, in which billing period, seen from when.
        check: of an absence, what is known of the last event.
    """

    alert: Alert
    account: Account
    check: Check | None = None

    @property
    def pair(self) -> tuple[str, int]:
        """The team and the alert."""
        return self.account.team.id, self.alert.id


class Finding(NamedTuple):
    """What a look found."""

    watch: Watch
    measured: Measured

    @property
    def span(self) -> Span:
        """The period in which a step is crossed once."""
        alert, account = self.watch.alert, self.watch.account
        if alert.kind is Kind.ABSENCE:
            return Span(self.measured.since or account.as_of, None)
        if alert.kind is Kind.RATE:
            return _local_day(account, hour_looked_at(alert, account).start)
        return Span(*account.period)


async def periods_of(
    tx: Connection, team_ids: Iterable[str], *, at: datetime, known_at: datetime | None = None
) -> dict[str, Periods]:
    """The accounts of teams at a moment, by team.

    Args:
        tx: a snapshot or transaction.
        team_ids: whose.
        at: the moment.
        known_at: by what was recorded up to then; default: by everything.
    """
    known = await teams.teams_by_id(tx, list(team_ids))
    held = await teams.subscriptions_of(tx, list(known), Interval(at - LATE - MOMENT, at + MOMENT), known_at)
    now = {id: occasion_of(team, _in_force(held[id], at), at) for id, team in known.items()}
    before = {id: found for id, team in known.items() if (found := _before(team, held[id], now[id], at))}
    occasions = [*now.values(), *before.values()]
    accounts = await load_accounts(tx, occasions, as_of=at, known_at=known_at)
    current, earlier = accounts[: len(now)], accounts[len(now) :]
    ended = dict(zip(before, earlier, strict=True))
    return {id: Periods(account, ended.get(id)) for id, account in zip(now, current, strict=True)}


def _in_force(held: Sequence[Subscription], at: datetime) -> Subscription | None:
    return next((each for each in held if each.starts_at <= at and (each.ends_at is None or at < each.ends_at)), None)


def _before(team: Team, held: Sequence[Subscription], now: Occasion, at: datetime) -> Occasion | None:
    """The period before, if it ended not long ago and is not closed."""
    moment = now.period.start - MOMENT
    if moment < at - LATE - MOMENT:
        return None
    found = occasion_of(team, _in_force(held, moment), moment)
    billed = found.subscription.billed_until if found.subscription else None
    closed = billed is not None and found.period.end <= billed
    return None if closed or found.period.end > at else found


def watches(
    alert: Alert, periods: Periods, checks: Mapping[tuple[str, int], Check], *, late: bool = True
) -> list[Watch]:
    """The looks that an alert takes at a team.

    Args:
        alert: what is looked for.
        periods: of the team.
        checks: what is known of silences, by team and alert.
        late: look at a period that is over and not closed, too.
    """
    check = checks.get((periods.current.team.id, alert.id))
    found = [Watch(alert, periods.current, check)]
    if late and periods.before is not None and alert.kind in OF_A_PERIOD:
        found.append(Watch(alert, periods.before))
    return found


def next_growth(alert: Alert, account: Account, value: Decimal | None) -> datetime:
    """When to look again at a number that grows by itself: at the next hour; once all is crossed, the next period."""
    limits = [alert.limit(step) for step in alert.steps]
    short = value is None or any(value > each if alert.falling else value < each for each in limits)
    end, tz = account.period.end, account.team.zone
    return min(next_window(window_start(account.as_of, Window.HOUR, tz), Window.HOUR, tz), end) if short else end


def _local_day(account: Account, moment: datetime) -> Span:
    tz = account.team.zone
    start = window_start(moment, Window.DAY, tz)
    return Span(start, next_window(start, Window.DAY, tz))
