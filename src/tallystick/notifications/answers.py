"""How channels, preferences and deliveries look in requests and answers."""

from datetime import time
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from tallystick.http.answers import Instant
from tallystick.notifications.checks import MOST_ADDRESSES, MOST_CHANNELS, MOST_KINDS
from tallystick.notifications.guard import LONGEST_URL
from tallystick.notifications.models import (
    Channel,
    ChannelChanges,
    ChannelKind,
    Delivery,
    Digest,
    NewChannel,
    Preferences,
    QuietHours,
    State,
)

WALL_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
KINDS = "Kinds of notification that it hears of, whoever else does: `throttle.changed`, or every kind of `alert`."
SHOWN = "What its URL is shown as: the host alone, because the rest may open a door. null for email."


class ChannelRequest(BaseModel):
    """A channel to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "ops-email", "kind": "email", "to": ["ops@example.com"], "by_default": True},
                {"name": "billing-hook", "kind": "webhook", "url": "https://example.com/hooks/tallystick"},
                {
                    "name": "gateway",
                    "kind": "webhook",
                    "url": "https://gateway.example.com/throttles",
                    "kinds": ["throttle.changed"],
                },
            ]
        },
    )

    name: str = Field(description="What alerts and preferences name it by: a-z, 0-9, `.`, `_` and `-`.")
    kind: ChannelKind
    to: list[str] = Field(
        default=[],
        max_length=MOST_ADDRESSES,
        description="Of email: the addresses. None: those in the preferences of the team that it is about.",
    )
    url: str | None = Field(
        default=None,
        max_length=LONGEST_URL,
        description="Of every other kind: where messages go. It is never answered again.",
        json_schema_extra={"writeOnly": True},
    )
    by_default: bool = Field(
        default=False, description="It takes what names no channel and is about a team that prefers none."
    )

    kinds: list[str] = Field(default=[], max_length=MOST_KINDS, description=KINDS)

    def wanted(self) -> NewChannel:
        """The channel that is asked for."""
        return NewChannel(self.name, self.kind, tuple(self.to), self.url, self.by_default, tuple(self.kinds))


class ChannelPatch(BaseModel):
    """What is to be another of a channel; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"by_default": True}]})

    to: list[str] | None = Field(default=None, max_length=MOST_ADDRESSES)
    url: str | None = Field(default=None, max_length=LONGEST_URL, json_schema_extra={"writeOnly": True})
    by_default: bool | None = None
    kinds: list[str] | None = Field(default=None, max_length=MOST_KINDS)

    def changes(self) -> ChannelChanges:
        """The changes that are asked for."""
        to, kinds = (None if each is None else tuple(each) for each in (self.to, self.kinds))
        return ChannelChanges(to, self.url, self.by_default, kinds)


class ChannelAnswer(BaseModel):
    """A channel, without its secrets."""

    name: str = Field(examples=["ops-email"])
    kind: ChannelKind
    to: list[str] = Field(description="Of email: the addresses.")
    shown: str | None = Field(description=SHOWN, examples=["https://hooks.slack.com/…"])
    by_default: bool
    kinds: list[str] = Field(description=KINDS)
    created_at: Instant
    updated_at: Instant
    failures: int = Field(description="How many messages in a row it did not take.")
    paused_until: Instant | None = Field(description="Nothing is sent before this, to let it recover.")

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """The answer that shows the channel."""
        return cls.model_validate(channel, from_attributes=True)


class NewChannelAnswer(ChannelAnswer):
    """A channel that was just made."""

    signing_secret: str | None = Field(
        default=None,
        description="Of a webhook: what its receiver checks signatures with. It is shown this once.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class RotationRequest(BaseModel):
    """How a secret is changed."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="How long messages are signed with the old secret, too."
    )


class RotationAnswer(BaseModel):
    """A webhook's new secret."""

    signing_secret: str = Field(description="It is shown this once.")


class SentTest(BaseModel):
    """A test message on its way."""

    key: str = Field(description="What the notification is called among the deliveries.")


class QuietHoursModel(BaseModel):
    """When nobody wants to be told; over midnight where the end is the earlier."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    start: str = Field(alias="from", pattern=WALL_TIME, description="Wall time in the team's zone.", examples=["22:00"])
    end: str = Field(alias="to", pattern=WALL_TIME, description="Exclusive.", examples=["07:00"])


class PreferencesModel(BaseModel):
    """How a team wants to be told. What is urgent, and webhooks, are not held back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "channels": ["ops-email"],
                    "emails": ["billing@acme.example"],
                    "digest": "daily",
                    "digest_at": "09:00",
                    "quiet_hours": {"from": "22:00", "to": "07:00"},
                }
            ]
        },
    )

    channels: list[str] | None = Field(
        default=None,
        max_length=MOST_CHANNELS,
        description="Where what names no channel goes. null: to the default channels; none: nowhere.",
    )
    emails: list[str] = Field(
        default=[],
        max_length=MOST_ADDRESSES,
        description="To whom email channels write that have no address of their own.",
    )
    digest: Digest = Field(default=Digest.OFF, description="Tell it all at once; weekly ones come on Mondays.")
    digest_at: str = Field(default="09:00", pattern=WALL_TIME, description="When, in the team's zone.")
    quiet_hours: QuietHoursModel | None = Field(default=None, description="When nothing is told; it is told after.")

    @classmethod
    def of(cls, preferences: Preferences) -> Self:
        """The answer that shows them."""
        quiet = preferences.quiet
        return cls(
            channels=None if preferences.channels is None else list(preferences.channels),
            emails=list(preferences.emails),
            digest=preferences.digest,
            digest_at=f"{preferences.digest_at:%H:%M}",
            quiet_hours=QuietHoursModel(start=f"{quiet.start:%H:%M}", end=f"{quiet.end:%H:%M}") if quiet else None,
        )

    def wanted(self) -> Preferences:
        """The preferences that are asked for."""
        quiet = self.quiet_hours
        return Preferences(
            channels=None if self.channels is None else tuple(dict.fromkeys(self.channels)),
            emails=tuple(self.emails),
            digest=self.digest,
            digest_at=time.fromisoformat(self.digest_at),
            quiet=QuietHours(time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)) if quiet else None,
        )


class NotificationAnswer(BaseModel):
    """What is told."""

    key: str = Field(description="Its identity: what it is about, once for ever.")
    kind: str = Field(examples=["alert.exceeded"])
    team_id: str | None
    urgent: bool
    occurred_at: Instant
    content: dict[str, Any]


class DeliveryAnswer(BaseModel):
    """A notification on its way to one channel and, of email, one recipient."""

    id: int
    message_id: str = Field(description="The same in every attempt: `webhook-id`, and in the `Message-ID` of email.")
    channel: str
    target: str | None = Field(description="Of email: the address.")
    state: State = Field(
        description="`pending`: is sent when due. `held`: waits for a digest. `sent`. `parked`: given up; "
        "can be replayed. `merged`: was told in a digest."
    )
    due_at: Instant = Field(description="When it is sent, or tried again.")
    attempts: int
    replays: int
    uncertain: bool = Field(description="An attempt ended without an answer: it may have arrived.")
    last_error: str | None
    created_at: Instant
    sent_at: Instant | None
    notification: NotificationAnswer

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The answer that shows the delivery."""
        answer = cls.model_validate(delivery, from_attributes=True)
        return answer.model_copy(update={"target": delivery.target or None})
