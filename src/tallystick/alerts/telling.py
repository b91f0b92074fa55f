"""What people and machines are told of a change of state. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from tallystick.alerts.models import Alert, Kind, Measured, State, Step, StepType
from tallystick.alerts.watching import Span
from tallystick.billing.teams.models import Team
from tallystick.core.money import plain
from tallystick.http.answers import rfc3339
from tallystick.notifications import Fact, Notification

TEST = "alert.test"


class Told:
    """A step of an alert, a team and what was found there, in words and as JSON."""

    def __init__(self, alert: Alert, step: Step, team: Team, span: Span, measured: Measured) -> None:
        self.alert, self.step, self.team, self.span, self.measured = alert, step, team, span, measured

    def changed(self, before: State, after: State, at: datetime, known_at: datetime) -> Notification:
        """The notification of a change of state: the same key for the same step, team, period and kind of change."""
        crossing = "crossed" if after.crossed else "resolved"
        start = rfc3339(self.span.start)
        # The team comes last: its id may hold any text.
        key = f"alert:{self.alert.id}:{self.step.id}:{start}:{crossing}:{self.team.id}"
        content = self._content(self._title(after), before, after)
        return Notification(
            key=key,
            kind=f"alert.{after}",
            team_id=self.team.id,
            channels=self.step.action.notify,
            content={**content, "known_at": rfc3339(known_at)},
            occurred_at=at,
            urgent=self.step.type is StepType.HARD,
        )

    def test(self, number: str, state: State, at: datetime) -> Notification:
        """A notification that only says that it arrives, with the numbers as they are."""
        content = self._content(f"Test: {self._title(self.alert.severity(self.step))}", state, state)
        content["text"] = f"This is a test of the alert “{self.alert.name}”. Nothing has happened."
        return Notification(
            key=f"{TEST}:{self.alert.id}:{self.step.id}:{number}",
            kind=TEST,
            team_id=self.team.id,
            channels=self.step.action.notify,
            content=content,
            occurred_at=at,
            urgent=True,  # who tests wants to see it now
        )

    def _content(self, title: str, before: State, after: State) -> dict[str, Any]:
        return {
            "title": title,
            "text": self._text(after),
            "facts": self._facts(after),
            "alert_id": self.alert.id,
            "alert": self.alert.name,
            "alert_kind": str(self.alert.kind),
            "team": {"id": self.team.id, "name": self.team.name},
            "metric": self.alert.metric,
            "step": step_terms(self.step),
            "from_state": str(before),
            "to_state": str(after),
            "value": _plain(self.measured.value),
            "limit": plain(self.alert.limit(self.step)),
            "threshold": plain(self.alert.threshold),
            "unit": self.measured.unit,
            "seen": dict(self.measured.seen),
            "period_start": rfc3339(self.span.start),
            "period_end": None if self.span.end is None else rfc3339(self.span.end),
        }

    def _title(self, state: State) -> str:
        what, limit = self._what(), self._limit()
        match self.alert.kind, state:
            case Kind.ABSENCE, State.RESOLVED:
                return f"{self.team.name}: {what} again"
            case Kind.ABSENCE, _:
                return f"{self.team.name}: no {what} for {limit}"
            case Kind.RATE, State.RESOLVED:
                return f"{self.team.name}: {what} is back to normal"
            case Kind.RATE, _:
                change = "below" if self.alert.falling else "above"
                return f"{self.team.name}: {what} is {limit.lstrip('-')} {change} the same hour of past weeks"
            case _, State.RESOLVED:
                side = "above" if self.alert.falling else "below"
                return f"{self.team.name}: {what} is back {side} {limit}"
            case _:
                return f"{self.team.name}: {what} {'fell to' if self.alert.falling else 'reached'} {limit}"

    def _what(self) -> str:
        metric = self.alert.metric
        match self.alert.kind:
            case Kind.COST:
                return f"cost of {metric}" if metric else "cost"
            case Kind.PROJECTED_COST:
                return f"projected cost of {metric}" if metric else "projected cost"
            case Kind.PROJECTED_USAGE:
                return f"projected {metric}"
            case Kind.CREDIT_BALANCE:
                return f"credit for {metric}" if metric else "credit"
            case Kind.ABSENCE:
                return f"events of {metric}" if metric else "events"
            case _:
                return str(metric)

    def _limit(self) -> str:
        """The limit in words: `80 % of 1,000 USD`, `1,500 calls`, `60 minutes`."""
        threshold = _with_unit(self.alert.threshold, self.measured.unit)
        if self.step.percent is None or self.step.percent == 100 or self.alert.kind in (Kind.RATE, Kind.ABSENCE):
            return _with_unit(self.alert.limit(self.step), self.measured.unit)
        return f"{_grouped(self.step.percent)} % of {threshold}"

    def _text(self, state: State) -> str:
        if self.measured.value is None:
            return f"Alert “{self.alert.name}”: there is nothing to compare with its limit any more."
        value = _with_unit(_short(self.measured.value), self.measured.unit)
        stopped = " Usage is throttled." if self.step.action.throttle and state.crossed else ""
        return f"Alert “{self.alert.name}”: it is {value} now.{stopped}"

    def _facts(self, state: State) -> Sequence[Fact]:
        found = [
            Fact(label="Team", value=self.team.name),
            Fact(label="Alert", value=self.alert.name),
            Fact(label="State", value=str(state)),
            Fact(label="Limit", value=self._limit()),
        ]
        if self.measured.value is not None:
            value = _with_unit(_short(self.measured.value), self.measured.unit)
            found.insert(3, Fact(label="Value", value=value))
        if self.span.end is not None:
            found.append(Fact(label="Period", value=self._period()))
        return found

    def _period(self) -> str:
        """The period's days on the team's calendar, the last one included."""
        assert self.span.end is not None
        first = self.span.start.astimezone(self.team.zone).date()
        last = (self.span.end - datetime.resolution).astimezone(self.team.zone).date()
        return f"{first} to {last}" if first != last else str(first)


def terms_of(alert: Alert, step: Step, measured: Measured | None, team: Team | None = None) -> dict[str, Any]:
    """The alert and the step as they are, and what of the team decides the number, for the history."""
    return {
        "name": alert.name,
        "kind": str(alert.kind),
        "metric": alert.metric,
        "currency": alert.currency,
        "plan": alert.plan,
        "threshold": plain(alert.threshold),
        "hysteresis": plain(alert.hysteresis),
        "weeks": alert.weeks,
        "step": step_terms(step),
        "seen": dict(measured.seen) if measured else {},
        "team": {"time_zone": team.time_zone, "currency": team.currency} if team else {},
    }


def step_terms(step: Step) -> dict[str, Any]:
    """The step as JSON."""
    return {
        "id": step.id,
        "percent": _plain(step.percent),
        "value": _plain(step.value),
        "type": str(step.type),
        "notify": list(step.action.notify),
        "throttle": step.action.throttle,
    }


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _short(number: Decimal) -> Decimal:
    """At most six decimals for people; machines get all of them."""
    return number if int(number.as_tuple().exponent) >= -6 else round(number, 6)


def _grouped(number: Decimal) -> str:
    """Plain, with thousands grouped."""
    whole, dot, decimals = plain(number).partition(".")
    return f"{int(whole):,}{dot}{decimals}" if whole not in ("-0", "") else f"{whole}{dot}{decimals}"


def _with_unit(number: Decimal, unit: str) -> str:
    return f"{_grouped(number)} {unit}".rstrip()
