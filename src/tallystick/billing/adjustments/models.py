"""What is booked about a closed period, and what is still to be booked. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from tallystick.billing.currencies import Conversion
from tallystick.billing.models import Account, Adjusts, Basis, Cause, Line, LineKind, Statement
from tallystick.billing.statements.models import StatementLine
from tallystick.core.clock import Interval
from tallystick.core.money import ZERO
from tallystick.pricing import Charge, Step
from tallystick.pricing.exact import add, subtract


class BookedPeriod(NamedTuple):
    """A closed statement that may have to be corrected.

    Attributes:
        id, team_id, subscription_id, period, currency: the statement's.
        known_at: what it was made of was known then.
        since: what was recorded up to here is booked.
        full: the bounds of the period had the subscription not begun or ended inside it, as JSON.
    """

    id: int
    team_id: str
    subscription_id: int
    period: Interval
    currency: str
    known_at: datetime
    since: datetime
    full: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Booked:
    """What the books say about one line of a closed period: the line and all adjustments of it.

    Attributes:
        first: the line as it was closed, or the adjustment that brought it.
        quantity, amount, total, due: the sums.
    """

    first: StatementLine
    quantity: Decimal
    amount: Decimal
    total: Decimal
    due: Decimal
    events: int
    unvalued: int

    @classmethod
    def of(cls, lines: Sequence[StatementLine]) -> "Booked":
        """The sums of a line and its adjustments; what was recorded and ignored counts as booked."""
        quantity = amount = total = due = ZERO
        for line in lines:
            quantity = add(quantity, line.quantity)
            amount = add(amount, _said(line, "amount"))
            total = add(total, _said(line, "total"))
            due = add(due, _said(line, "converted_total"))
        events, unvalued = sum(line.events for line in lines), sum(line.unvalued for line in lines)
        return cls(lines[0], quantity, amount, total, due, events, unvalued)


def _said(line: StatementLine, name: str) -> Decimal:
    """A number of the line; of one that was ignored, what it would have been."""
    ignored: Mapping[str, str] = (line.cause or {}).get("would_be") or {}
    found: Decimal | None = getattr(line, name)
    return Decimal(ignored.get(name, "0")) if found is None else found


class Pending(NamedTuple):
    """What is to be booked for one team.

    Attributes:
        lines: the adjustments.
        accounts: the closed statements that were looked at, by id, with their terms as known by now.
    """

    lines: Sequence[Line]
    accounts: Mapping[int, Account]

    @property
    def period_ids(self) -> list[int]:
        """The closed statements that were looked at."""
        return list(self.accounts)

    def in_currency(self, currency: str | None) -> "Pending":
        """What can stand on a statement in that currency: closed in it, or charging nothing."""
        return self._replace(lines=[line for line in self.lines if self._billed_in(line) in (None, currency)])

    def in_others(self, currency: str | None) -> "Pending":
        """The rest: what was closed in another currency has to be booked in that one, on a statement of its own."""
        return self._replace(lines=[line for line in self.lines if self._billed_in(line) not in (None, currency)])

    def _billed_in(self, line: Line) -> str | None:
        """The currency of what the line adds to a bill; None: it adds nothing."""
        assert line.adjusts is not None
        return None if line.due is None else self.accounts[line.adjusts.period_id].billing_currency

    def statements(self) -> list[Statement]:
        """The adjustments as statements of their own, one for each closed period."""
        by_period: dict[int, list[Line]] = {}
        for line in self.lines:
            assert line.adjusts is not None
            by_period.setdefault(line.adjusts.period_id, []).append(line)
        return [Statement(self.accounts[id], lines) for id, lines in by_period.items()]


NOTHING = Pending((), {})


def key_of(period_id: int, key: str) -> str:
    """The key of the adjustment of a line."""
    return f"adjustment:{period_id}:{key}"


def difference(period: BookedPeriod, key: str, booked: Booked | None, now: Line | None, currency: str) -> Line | None:
    """The adjustment that brings what is booked about a line to what it comes to by now; None: it does.

    `now` is in the currency of the bill, at the rate at which the line was booked; its price is in `currency`.
    """
    source: Line | StatementLine | None = now or (booked.first if booked else None)
    assert source is not None
    quantity, amount, total, due = _now(now)
    if booked is not None:
        quantity = subtract(quantity, booked.quantity)
        total, due = subtract(total, booked.total), subtract(due, booked.due)
    steps = tuple(_steps(amount, booked))
    change = subtract(amount, booked.amount) if booked else amount
    if not (change or total or due) and (not quantity or not _charged(booked, now)):
        return None
    return Line(
        key=key_of(period.id, key),
        kind=LineKind.ADJUSTMENT,
        name=source.name,
        metric=source.metric,
        unit=source.unit,
        interval=source.interval,
        basis=Basis(source.basis),
        quantity=quantity,
        events=(now.events if now else 0) - (booked.events if booked else 0),
        unvalued=(now.unvalued if now else 0) - (booked.unvalued if booked else 0),
        price=now.price if now else None,
        charge=Charge(change, steps),
        total=total,
        conversion=_conversion(now, booked, total, due),
        adjusts=Adjusts(period.id, key, Cause(), booked.first.currency if booked else currency),
    )


def _now(line: Line | None) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    if line is None or line.charge is None:
        return (line.quantity if line else ZERO, ZERO, ZERO, ZERO)
    return line.quantity, line.charge.amount, line.total or ZERO, line.due or ZERO


def _charged(booked: Booked | None, now: Line | None) -> bool:
    return bool(now and now.charge) or bool(booked and booked.first.amount is not None)


def _steps(amount: Decimal, booked: Booked | None) -> list[Step]:
    """What the line comes to now, less what was booked."""
    steps = [Step("rated_now", ZERO, None, amount)]
    if booked is not None:
        steps.append(Step("booked", ZERO, None, booked.amount.copy_negate()))
    return steps


def _conversion(now: Line | None, booked: Booked | None, total: Decimal, due: Decimal) -> Conversion | None:
    if now is not None and now.conversion is not None:
        return now.conversion._replace(original=total, converted=due)
    first = booked.first if booked else None
    if first is None or first.exchange_rate is None or first.rate_date is None:
        return None
    rate = (first.exchange_rate, first.rate_date, first.rate_source or "")
    return Conversion(total, first.currency, due, first.billing_currency, *rate)
