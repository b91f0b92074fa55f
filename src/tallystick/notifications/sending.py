"""What a channel is given to send, and how it says that it could not."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tallystick.notifications.models import Delivery

SEND_WITHIN = 15.0
"""Seconds that one attempt may take, whatever the receiver does."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery, and what it takes to send it.

    Attributes:
        delivery: what is sent, and to whom.
        now: when this attempt is made.
        team: what people call the team that it is about; None: it is about none.
        url: where it goes; None: by email.
        signing_secrets: every secret that receivers may check the signature with at the moment.
    """

    delivery: Delivery
    now: datetime
    team: str | None = None
    url: str | None = field(default=None, repr=False)
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)


class NotSent(Exception):
    """A message was not taken; for the courier. The text says why and holds nothing secret.

    Attributes:
        final: trying again would not help.
        uncertain: there was no answer, so the message may have arrived all the same.
        channel_fault: the receiver is at fault and not this one message.
        retry_after: how long the receiver asked to be left alone.
    """

    def __init__(
        self,
        reason: str,
        *,
        final: bool = False,
        uncertain: bool = False,
        channel_fault: bool = True,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason)
        self.final = final
        self.uncertain = uncertain
        self.channel_fault = channel_fault
        self.retry_after = retry_after


class Sender(Protocol):
    """Sends messages of one kind of channel."""

    async def send(self, outgoing: Outgoing) -> None:
        """Send it. Returns once the receiver has taken it.

        Raises:
            NotSent: it did not.
        """
        ...
