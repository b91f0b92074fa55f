"""What a closed statement is, as it is stored, and what its digest is over. No I/O."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple, Self

from tallystick.billing.models import Basis, Line, LineKind
from tallystick.core.clock import Interval
from tallystick.core.money import plain
from tallystick.http.answers import rfc3339
from tallystick.pricing import charge_as_json


class Status(StrEnum):
    """Where a statement stands: open, being closed, closed, on an invoice, paid; or void."""

    ACTIVE = "active"
    CLOSING = "closing"
    CLOSED = "closed"
    INVOICED = "invoiced"
    PAID = "paid"
    VOID = "void"


BOOKED = frozenset({Status.CLOSED, Status.INVOICED, Status.PAID})
"""Of these statements the books consist."""


class StatementKind(StrEnum):
    """The statement of a period, or adjustments alone, of a period that was closed before."""

    PERIOD = "period"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A line of a closed statement, as it is stored.

    Attributes:
        id: by which it is explained; 0 while it is not stored.
        period_id: the statement's.
        position: its place in the statement, from 0.
        key: what it is about, once in its statement.
        kind, name, metric, unit, interval, basis, quantity, events, unvalued: as in `billing.models.Line`.
        price_id: the price version that rated it.
        currency: of amount and total.
        amount: exact; None: nothing is charged, and `reason` says why.
        total: the amount, rounded once.
        steps: how the amount was made, as JSON.
        reason: why nothing is charged.
        billing_currency: of `converted_total`, and of the statement.
        converted_total: the total in it.
        exchange_rate, rate_date, rate_source: the rate, its day and who says so; None where nothing was converted.
        adjusts_period_id, adjusts_key: of an adjustment, the statement and the line that it corrects.
        cause: of an adjustment, why it is, as JSON.
    """

    id: int
    period_id: int
    position: int
    key: str
    kind: LineKind
    name: str
    metric: str | None
    unit: str
    interval_start: datetime
    interval_end: datetime
    basis: Basis
    quantity: Decimal
    events: int
    unvalued: int
    price_id: int | None
    currency: str
    amount: Decimal | None
    total: Decimal | None
    steps: Sequence[Mapping[str, Any]]
    reason: str | None
    billing_currency: str
    converted_total: Decimal | None
    exchange_rate: Decimal | None
    rate_date: date | None
    rate_source: str | None
    adjusts_period_id: int | None
    adjusts_key: str | None
    cause: Mapping[str, Any] | None

    @property
    def interval(self) -> Interval:
        """The instants that are charged."""
        return Interval(self.interval_start, self.interval_end)

    @classmethod
    def of(cls, line: Line, position: int, currency: str, billing_currency: str) -> Self:
        """The line as it will be stored; `currency` is the plan's, and of every line but adjustments."""
        conversion, adjusts = line.conversion, line.adjusts
        return cls(
            id=0,
            period_id=0,
            position=position,
            key=line.key,
            kind=line.kind,
            name=line.name,
            metric=line.metric,
            unit=line.unit,
            interval_start=line.interval.start,
            interval_end=line.interval.end,
            basis=line.basis,
            quantity=line.quantity,
            events=int(line.events),
            unvalued=int(line.unvalued),
            price_id=line.price.id if line.price else None,
            currency=adjusts.currency if adjusts else currency,
            amount=line.charge.amount if line.charge else None,
            total=line.total,
            steps=charge_as_json(line.charge)["steps"] if line.charge else [],
            reason=line.reason,
            billing_currency=billing_currency,
            converted_total=line.due,
            exchange_rate=conversion.rate if conversion else None,
            rate_date=conversion.rate_date if conversion else None,
            rate_source=conversion.source if conversion else None,
            adjusts_period_id=adjusts.period_id if adjusts else None,
            adjusts_key=adjusts.key if adjusts else None,
            cause=adjusts.cause.as_json() if adjusts else None,
        )

    def document(self) -> dict[str, Any]:
        """Everything that the line says, as JSON; what the digest is over."""
        return {name: _json(getattr(self, name)) for name in _SAID}


_SAID = tuple(each.name for each in fields(StatementLine) if each.name not in ("id", "period_id"))


def _json(value: Any) -> Any:
    match value:
        case Decimal():
            return plain(value)
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case _:
            return value


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A closed statement without its lines.

    Attributes:
        id: the statement's.
        team_id, subscription_id: whose it is.
        kind: the statement of a period, or a correction.
        period: what is charged; of a correction, what is corrected.
        status: where it stands.
        currency: what the team is billed in, and all amounts here are in.
        subtotal: the sum of the lines.
        credits: what prepaid credit paid of it.
        total: what is due: subtotal − credits; below zero it is owed to the team.
        known_at: usage, prices and terms are those recorded up to here.
        rated_at: corrections recorded up to here are booked.
        closed_at: when it was closed.
        inputs: what the lines were made of, as JSON.
        digest: SHA-256 over inputs and lines, in hexadecimal.
        voided_at, void_reason, voided_by: when, why and by whom it was taken out of the books.
    """

    id: int
    team_id: str
    subscription_id: int
    kind: StatementKind
    period: Interval
    status: Status
    currency: str
    subtotal: Decimal
    credits: Decimal
    total: Decimal
    known_at: datetime
    rated_at: datetime
    closed_at: datetime
    inputs: Mapping[str, Any]
    digest: str
    voided_at: datetime | None = None
    void_reason: str | None = None
    voided_by: str | None = None


class ClosedStatement(NamedTuple):
    """A closed statement."""

    period: ClosedPeriod
    lines: Sequence[StatementLine]

    @property
    def intact(self) -> bool:
        """Whether inputs and lines are those that the digest was made of."""
        return digest(self.period.inputs, self.lines) == self.period.digest


def digest(inputs: Mapping[str, Any], lines: Sequence[StatementLine]) -> str:
    """SHA-256, in hexadecimal, of inputs and lines as canonical JSON: keys in order, no spaces, UTF-8.

    Numbers are plain decimal text and instants RFC 3339 in UTC, so that anybody can compute it again from the
    JSON of the statement.
    """
    document = {"inputs": inputs, "lines": [line.document() for line in lines]}
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Difference(NamedTuple):
    """A line that is another when it is made anew; None: there is no such line."""

    key: str
    stored: Mapping[str, Any] | None
    recomputed: Mapping[str, Any] | None


class Verification(NamedTuple):
    """A closed statement, checked.

    Attributes:
        period: the statement.
        intact: nothing of it was changed since it was closed: the digest is that of its inputs and lines.
        differences: lines that raw usage, prices and terms, as they were known then, do not give again.
    """

    period: ClosedPeriod
    intact: bool
    differences: Sequence[Difference]

    @property
    def agrees(self) -> bool:
        """Whether the statement stands."""
        return self.intact and not self.differences
