"""What a credit grant is, what it can pay for, and what it paid. No I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tallystick.catalog.models import BillingPeriod

NEVER = datetime.max.replace(tzinfo=UTC)
"""The end of what does not end."""


class GrantKind(StrEnum):
    """Whether credits were given or bought. Of two that are otherwise alike the given ones burn first."""

    PROMOTIONAL = "promotional"
    PAID = "paid"


class Creditable(NamedTuple):
    """A line that credits can pay.

    Attributes:
        key: the line's, unique in its statement.
        metric: whose usage is charged; None: a fee, which only grants for all metrics pay.
        amount: what the line comes to, rounded to the currency, above zero.
        currency: the amount's ISO 4217 code.
        quantity: how much usage is charged, in the metric's unit.
        value_of: what the last `n` units of the quantity cost, exactly.
    """

    key: str
    metric: str | None
    amount: Decimal
    currency: str
    quantity: Decimal
    value_of: Callable[[Decimal], Decimal]


class Burn(NamedTuple):
    """What one grant paid of one line.

    Attributes:
        grant_id: the grant.
        line_key: the line.
        amount: money, rounded to the line's currency, above zero; together never more than the line's amount.
        quantity: the units that were burned; None: the grant is of money.
    """

    grant_id: int
    line_key: str
    amount: Decimal
    quantity: Decimal | None


class Bill(NamedTuple):
    """What one closing period of a team comes to, for closing many at once; see `applying.apply`."""

    team_id: str
    period_id: int
    lines: Sequence[Creditable]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A grant is given anew at every boundary: `anchor + n × cadence`, in the wall time of a zone.

    Attributes:
        cadence: how far apart the boundaries are.
        anchor: one of them; it may lie before or after the grant takes effect.
        time_zone: the IANA zone of the wall time.
        cap: the most of what is left that is carried over a boundary; zero: what is left expires there.
    """

    cadence: BillingPeriod
    anchor: datetime
    time_zone: str
    cap: Decimal


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits of a team, in force in `[effective_at, expires_at)`; without an expiry, until they are used up.

    Attributes:
        id: by which it is voided and listed.
        team_id: whose it is.
        name: what people call it.
        kind: given or bought.
        priority: the lower burns first.
        amount: how much, of the currency or in the metric's unit; of a recurring grant, each time.
        currency: what a grant of money is in; it pays lines of that currency alone. None: a grant of usage.
        metric: what a grant of usage is of; it pays lines of that metric alone. None: a grant of money.
        metrics: the metrics whose lines a grant of money may pay; none: every line.
        effective_at, expires_at: when it is in force.
        recurrence: how it comes again; None: it is given once.
        reference: the giver's own key, unique in the team, by which a repeated request is known.
        created_at: when it was recorded.
        voided_at: since when what was left of it is void; None: it is not.
        void_reason: why.
    """

    id: int
    team_id: str
    name: str
    kind: GrantKind
    priority: int
    amount: Decimal
    currency: str | None
    metric: str | None
    metrics: tuple[str, ...]
    effective_at: datetime
    expires_at: datetime | None
    recurrence: Recurrence | None
    reference: str | None
    created_at: datetime
    voided_at: datetime | None = None
    void_reason: str | None = None

    @property
    def unit(self) -> str:
        """What it is counted in: the currency or the metric."""
        return self.currency or self.metric or ""

    def pays(self, line: Creditable) -> bool:
        """Whether it may pay the line."""
        if self.currency is None:
            return line.metric == self.metric
        return line.currency == self.currency and (not self.metrics or line.metric in self.metrics)
