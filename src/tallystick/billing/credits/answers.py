"""What grants, balances and the ledger look like as JSON: in answers and on the command line."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.credits.balances import GrantBalance, UnitBalance
from tallystick.billing.credits.models import GrantKind, Recurrence
from tallystick.billing.credits.posting import Account, TransactionKind
from tallystick.billing.credits.service import Booking
from tallystick.catalog.models import PeriodUnit
from tallystick.http.answers import Instant, Number


class RecurrenceAnswer(BaseModel):
    """How a grant comes again: at `anchor` and every so many periods before and after it, in the zone's wall time."""

    period: PeriodUnit
    every: int = Field(examples=[1])
    anchor: Instant
    time_zone: str = Field(examples=["America/New_York"])
    rollover: Number = Field(description="The most of what is left that is carried over.", examples=["50"])

    @classmethod
    def of(cls, recurrence: Recurrence) -> Self:
        """The answer that shows it."""
        return cls(
            period=recurrence.cadence.unit,
            every=recurrence.cadence.every,
            anchor=recurrence.anchor,
            time_zone=recurrence.time_zone,
            rollover=recurrence.cap,
        )


class BalanceAnswer(BaseModel):
    """Credits at a moment: granted = used + expired + voided + available."""

    model_config = ConfigDict(from_attributes=True)

    granted: Number = Field(description="What was given so far; of a recurring grant every time.", examples=["100"])
    used: Number = Field(description="What has paid for closed billing periods.", examples=["40"])
    expired: Number = Field(description="What was left over and is lost.", examples=["0"])
    voided: Number = Field(description="What was left when a grant was voided.", examples=["0"])
    available: Number = Field(description="What is left.", examples=["60"])
    pending: Number = Field(description="What is granted but not in force yet.", examples=["0"])


class GrantAnswer(BaseModel):
    """Credits of a team, and what is left of them."""

    id: int = Field(examples=[17])
    team_id: str = Field(examples=["acme"])
    name: str = Field(examples=["Welcome credits"])
    kind: GrantKind
    priority: int = Field(description="The lower burns first.", examples=[100])
    amount: Number = Field(description="Of the currency or in the metric's unit.", examples=["100"])
    currency: str | None = Field(description="Null: credits of usage.", examples=["USD"])
    metric: str | None = Field(description="Null: credits of money.")
    metrics: list[str] = Field(description="The metrics whose charges it may pay; none: every charge.")
    effective_at: Instant
    expires_at: Instant | None = Field(description="Exclusive; null: never.")
    recurrence: RecurrenceAnswer | None = Field(description="Null: it is given once.")
    reference: str | None = Field(description="The giver's own key.", examples=["order-4711"])
    created_at: Instant
    voided_at: Instant | None
    void_reason: str | None
    lapses_at: Instant | None = Field(description="When what is available expires or is given anew; null: never.")
    balance: BalanceAnswer

    @classmethod
    def of(cls, found: GrantBalance) -> Self:
        """The answer that shows the grant."""
        grant, balance, lapses_at = found
        own = {name: getattr(grant, name) for name in cls.model_fields if hasattr(grant, name)}
        own["recurrence"] = RecurrenceAnswer.of(grant.recurrence) if grant.recurrence else None
        own["metrics"] = list(grant.metrics)
        return cls(**own, lapses_at=lapses_at, balance=BalanceAnswer.model_validate(balance))


class UnitBalanceAnswer(BalanceAnswer):
    """What a team has of one currency, or of one metric's unit."""

    currency: str | None = Field(examples=["USD"])
    metric: str | None

    @classmethod
    def of_unit(cls, found: UnitBalance) -> Self:
        """The answer that shows it."""
        return cls(currency=found.currency, metric=found.metric, **found.balance._asdict())


class TeamBalanceAnswer(BaseModel):
    """What a team has at a moment, of each currency and of each metric."""

    team_id: str = Field(examples=["acme"])
    at: Instant
    balances: list[UnitBalanceAnswer]


class EntryAnswer(BaseModel):
    """A movement on one account of a grant."""

    model_config = ConfigDict(from_attributes=True)

    grant_id: int = Field(examples=[17])
    allotment: int = Field(description="Which time the grant was given, from 0.")
    account: Account
    amount: Number = Field(description="Of the grant's currency or in its metric's unit.", examples=["-40"])
    line_key: str | None = Field(
        description="The line that was paid.", examples=["usage:api_calls@2026-03-01T00:00:00Z"]
    )
    value: Number | None = Field(description="The money that it paid.", examples=["40"])
    currency: str | None = Field(examples=["USD"])


class TransactionAnswer(BaseModel):
    """A transaction of the ledger: its entries add up to zero."""

    id: int = Field(examples=[42])
    kind: TransactionKind
    period_id: int | None = Field(description="The billing period that burned the credits, or gave them back.")
    effective_at: Instant = Field(description="When it holds.")
    recorded_at: Instant = Field(description="When it was booked.")
    actor: str | None = Field(description="Who did it, where somebody did.", examples=["key:7Q2M4KX0TB"])
    entries: list[EntryAnswer]

    @classmethod
    def of(cls, booking: Booking) -> Self:
        """The answer that shows the transaction."""
        entries = [EntryAnswer.model_validate(entry) for entry in booking.entries]
        return cls(**booking.transaction._asdict(), entries=entries)
