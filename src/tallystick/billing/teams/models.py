"""What a team and a subscription are. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tallystick.billing.periods import Schedule
from tallystick.catalog.models import Anchor, BillingPeriod
from tallystick.core.clock import zone


@dataclass(frozen=True, slots=True)
class Team:
    """A customer.

    Attributes:
        id: what events and keys name the team by.
        name: what people call it.
        time_zone: the IANA zone in which its days, months and billing periods begin.
        metadata: a JSON object of the user's own.
        created_at: when it became known.
    """

    id: str
    name: str
    time_zone: str
    metadata: Mapping[str, Any]
    created_at: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The team's time zone."""
        return zone(self.time_zone)


@dataclass(frozen=True, slots=True)
class TeamChanges:
    """What is to be another of a team; None leaves it."""

    name: str | None = None
    time_zone: str | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A team on a plan in `[starts_at, ends_at)`; without an end, until further notice.

    `currency` and `cadence` are the plan's.
    """

    id: int
    team_id: str
    plan: str
    currency: str
    cadence: BillingPeriod
    anchor: Anchor
    starts_at: datetime
    ends_at: datetime | None
    created_at: datetime

    def schedule(self, tz: ZoneInfo) -> Schedule:
        """The billing periods, in the team's zone."""
        return Schedule(self.cadence, self.anchor, self.starts_at, self.ends_at, tz)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a team subscribes to. Without a start, from now on; without an end, until further notice."""

    plan: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    anchor: Anchor = field(default=Anchor.CALENDAR)
