"""Everything that this package raises.

TallystickClientError
├── InvalidEvent      the event can't be right: nothing was recorded       (also a ValueError)
├── NotConfigured     no server, or no folder for the spool, was named     (also a ValueError)
├── TrackerClosed     the tracker was closed before
├── SpoolError        the disk refused: the event was not accepted
│   └── SpoolFull     the spool's limit, or the disk's, is reached
├── InvalidRequest    what a `Client` is asked can't be right: not sent      (also a ValueError)
├── LimitReached      a reservation was refused: there is not enough left
└── RequestFailed     a `Client` got no answer to what it asked
    ├── ServerUnavailable    no connection, a time-out, or the server is busy: ask again later
    ├── UnexpectedAnswer     something else than a Tallystick server answered
    └── RequestRefused       the server says why not
        ├── AccessDenied     the key is missing, unknown, or not for this
        └── NotFound         there is no such team, metric or reservation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tallystick_client.verdicts import Check


class TallystickClientError(Exception):
    """What everything else here derives from."""


class InvalidEvent(TallystickClientError, ValueError):
    """The event can't be right; the message names the field and what is allowed. Nothing was recorded."""


class NotConfigured(TallystickClientError, ValueError):
    """Something that a tracker can't do without was not named."""


class TrackerClosed(TallystickClientError):
    """The tracker was closed; nothing was recorded."""


class SpoolError(TallystickClientError):
    """The spool can't be written, so the event was not accepted. The message names the file and the reason."""


class SpoolFull(SpoolError):
    """The spool's own limit, or the disk's, is reached: the event was not accepted, earlier ones are safe."""


class InvalidRequest(TallystickClientError, ValueError):
    """What is asked can't be right; the message says what is allowed. Nothing was sent."""


class LimitReached(TallystickClientError):
    """Not as much is left of a limit as was to be reserved, or the team is throttled; `check` has the numbers."""

    def __init__(self, check: Check) -> None:
        super().__init__(f"{check.team} may not use {check.quantity} more of {check.metric}: {_why(check)}")
        self.check = check


def _why(check: Check) -> str:
    left = "" if check.remaining is None else f", {check.remaining} of {check.limit} left"
    until = "" if check.retry_at is None else f", until {check.retry_at.isoformat()}"
    return f"{check.reason}{left}{until}"


class RequestFailed(TallystickClientError):
    """A request was not answered as it was meant; the message says why."""


class ServerUnavailable(RequestFailed):
    """No connection, a time-out, or the server can't answer now. `retry_after`: seconds, if it named some."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnexpectedAnswer(RequestFailed):
    """The answer is not one of Tallystick's: another program answers at the URL, or a proxy before it."""


class RequestRefused(RequestFailed):
    """The server refuses: `status` is the HTTP status, `code` is for programs, `field` is what does not fit, if any."""

    def __init__(self, message: str, *, status: int, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


class AccessDenied(RequestRefused):
    """The API key is missing, unknown or revoked, or its scope or team does not allow this."""


class NotFound(RequestRefused):
    """There is no such team, metric or reservation; the message names it, and often what there is."""
