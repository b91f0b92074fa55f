"""Email by SMTP: one message for each recipient, in text and HTML, with the same Message-ID in every attempt."""

import asyncio
import socket
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Literal, Self

import aiosmtplib

from tallystick.core.settings import Settings
from tallystick.notifications.rendering import Templates
from tallystick.notifications.sending import SEND_WITHIN, NotSent, Outgoing

PERMANENT = 500
"""Answers of a mail server from here on say that trying again would not help."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Who takes mail from this installation, and whom it says that it is from."""

    host: str | None
    port: int
    security: Literal["starttls", "tls", "none"]
    username: str | None
    password: str | None = field(repr=False)
    sender: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The one that the settings name."""
        password = settings.smtp_password
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            sender=settings.smtp_sender,
        )


class EmailSender:
    """Hands notifications to a mail server."""

    def __init__(self, server: MailServer, templates: Templates, patience: float = SEND_WITHIN) -> None:
        self._server = server
        self._patience = patience
        self._templates = templates

    async def send(self, outgoing: Outgoing) -> None:
        """Hand it to the mail server.

        Raises:
            NotSent: the server did not take it.
        """
        if self._server.host is None:
            raise NotSent("no mail server is set: TALLYSTICK_SMTP_HOST")
        message = self._message(outgoing)
        try:
            async with asyncio.timeout(self._patience):
                await self._hand_over(message, outgoing.delivery.target)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _not_sent(error) from None

    async def _hand_over(self, message: EmailMessage, recipient: str) -> None:
        server = self._server
        await aiosmtplib.send(
            message,
            sender=parseaddr(server.sender)[1],
            recipients=[recipient],
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            local_hostname=socket.gethostname(),
            timeout=self._patience,
        )

    def _message(self, outgoing: Outgoing) -> EmailMessage:
        written = self._templates.email(outgoing)
        name, address = parseaddr(self._server.sender)
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(name, addr_spec=address)
        message["To"] = Address(addr_spec=outgoing.delivery.target)
        message["Subject"] = written.subject
        message["Date"] = format_datetime(outgoing.now)
        message["Message-ID"] = f"<{outgoing.delivery.message_id}@{address.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(written.text)
        message.add_alternative(written.html, subtype="html")
        return message


def _not_sent(error: Exception) -> NotSent:
    """What a failure means: final is only a refusal of this recipient or of this message."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return _not_sent(first)
        case aiosmtplib.SMTPRecipientRefused() | aiosmtplib.SMTPDataError():
            final = error.code >= PERMANENT
            return NotSent(_answered(error), final=final, channel_fault=not final)
        case aiosmtplib.SMTPResponseException():
            return NotSent(_answered(error))
        case aiosmtplib.SMTPConnectError():
            return NotSent(f"the mail server can't be reached: {_reason(error)}")
        case aiosmtplib.SMTPServerDisconnected():
            return NotSent("the mail server broke off", uncertain=True)
        case TimeoutError():
            return NotSent("the mail server did not answer in time", uncertain=True)
        case _:
            return NotSent(f"the mail server can't be used: {_reason(error)}")


def _answered(error: aiosmtplib.SMTPResponseException) -> str:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"the mail server refused the login ({error.code})"  # what it says of it might repeat what was sent
    return f"the mail server answered {error.code} {_one_line(error.message)}"


def _reason(error: Exception) -> str:
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
