"""What billing knows of whoever collects the money: that usage can be sent there, and how that stands.

Who it is, and how, is the concern of `integrations`; the assembly puts it in. Without one there is nothing to say.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, Protocol, Self, cast

from fastapi import Depends, Request
from pydantic import BaseModel, Field

from tallystick.http.answers import Instant


class BillsStanding(NamedTuple):
    """How the bills of a team stand that are made here and that the provider collects.

    Attributes:
        waiting: on their way to the provider.
        open: the provider asks to be paid.
        paid: they are.
        held: of those waiting, that wait until something is put right.
        oldest: since when the oldest waits; None: none does.
        hold: what has to be put right; None: nothing.
    """

    waiting: int
    open: int
    paid: int
    held: int
    oldest: datetime | None
    hold: str | None


class Standing(NamedTuple):
    """How the usage of a team that is told to the provider stands, in differences of an hour's usage.

    Attributes:
        pending: written down, and will be sent.
        parked: that wait until something is put right.
        accepted: that the provider said yes to.
        confirmed: that it was seen to count as well.
        quarantined: that it refuses for good.
        late: that came when the bill of their period was final.
        in_doubt: of those pending, that may have arrived.
        oldest: since when the oldest waits; None: none does.
        hold: what has to be put right; None: nothing.
        bills: how its bills stand; None: there are none.
    """

    pending: int
    parked: int
    accepted: int
    confirmed: int
    quarantined: int
    late: int
    in_doubt: int
    oldest: datetime | None
    hold: str | None
    bills: BillsStanding | None = None


NOTHING_TOLD = Standing(0, 0, 0, 0, 0, 0, 0, None, None)
"""Of a team whose usage is not told to the provider."""


class Done(NamedTuple):
    """What a synchronisation did: how many of what, and what somebody has to look at."""

    counts: Mapping[str, int]
    problems: Sequence[str]


class Settlement(Protocol):
    """Whoever collects."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def sync(self, teams: Sequence[str] | None) -> Done:
        """Tell it all that can be told now, of these teams or of all."""
        ...

    async def standing(self, team_id: str) -> Standing | None:
        """How usage and bills of a team stand that it is given; None: it is given none."""
        ...


def settlement(request: Request) -> Settlement:
    """The application's."""
    return cast(Settlement, request.app.state.settlement)


Collector = Annotated[Settlement, Depends(settlement)]


class BillsAnswer(BaseModel):
    """How the bills stand that are made here, and that the billing provider collects."""

    waiting: int = Field(description="On their way to the provider.")
    open: int = Field(description="The provider asks to be paid.")
    paid: int
    held: int = Field(description="Of those waiting, how many wait until something is put right; `hold` says what.")
    oldest: Instant | None = Field(description="Since when the oldest waits; null: none does.")
    hold: str | None = Field(description="What has to be put right; null: nothing.")


class StandingAnswer(BaseModel):
    """How the usage stands that the billing provider is told, in differences of an hour's usage."""

    provider: str = Field(examples=["Stripe"])
    pending: int = Field(description="Written down, and will be sent.")
    parked: int = Field(description="Wait until something is put right; `hold` says what.")
    accepted: int = Field(description="The provider said yes, and was not seen to count them yet.")
    confirmed: int = Field(description="Its own sums agree.")
    quarantined: int = Field(description="It refuses them for good. Nothing of them is lost here.")
    late: int = Field(description="Came when the bill of their period was final; the team's policy decides.")
    in_doubt: int = Field(description="Of those pending, how many may have arrived.")
    oldest_seconds: int | None = Field(description="How long the oldest has been waiting; null: none is.")
    oldest: Instant | None = Field(description="Since when.")
    hold: str | None = Field(description="What has to be put right; null: nothing.")
    bills: BillsAnswer | None = Field(description="How bills made here stand; null: there are none.")

    @classmethod
    def of(cls, provider: str, standing: Standing, now: datetime) -> Self:
        """The answer that shows it."""
        age = None if standing.oldest is None else max(now - standing.oldest, timedelta(0))
        bills = None if standing.bills is None else BillsAnswer(**standing.bills._asdict())
        waited = None if age is None else int(age.total_seconds())
        return cls(provider=provider, oldest_seconds=waited, **{**standing._asdict(), "bills": bills})


class SyncAnswer(BaseModel):
    """What a synchronisation with the billing provider did."""

    provider: str = Field(examples=["Stripe"])
    counts: dict[str, int] = Field(description="How many of what.", examples=[{"usage booked": 3}])
    problems: list[str] = Field(description="What somebody has to look at. Nothing is lost by it.")
