"""Errors a user can cause or must hear about.

    TallystickError
    ├── InvalidInput          422  what was sent does not fit; names the field
    ├── NotFound              404  the thing named does not exist
    ├── Conflict              409  it exists already, or its state forbids this
    ├── Unauthorized          401  no key, or a key that is not known
    ├── Forbidden             403  the key does not allow this
    ├── TooLarge              413  more than one request may carry
    ├── Unavailable           503  try again later; nothing was accepted
    ├── ConfigurationError         the installation is not set up right
    ├── CatalogueError             the billing file is wrong; lists every problem with its line
    └── StorageError          503  PostgreSQL can't be had

The message is one line for a person: what is wrong, where, and what is allowed. The CLI prints it and
exits with `exit_code`; the API answers `status` with it as problem+json.
"""

from typing import Any


class TallystickError(Exception):
    """Base of every error with a message meant for the user."""

    code = "error"
    status = 500
    exit_code = 1

    def details(self) -> dict[str, Any]:
        """Further members of the problem+json answer."""
        return {}


class InvalidInput(TallystickError):
    """A value that was sent does not fit; `field` names it."""

    code = "invalid"
    status = 422
    exit_code = 2

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        if code is not None:
            self.code = code

    def details(self) -> dict[str, Any]:
        """The field at fault."""
        return {} if self.field is None else {"field": self.field}


class NotFound(TallystickError):
    """The thing named does not exist."""

    code = "not_found"
    status = 404


class Conflict(TallystickError):
    """It exists already, or its present state forbids this."""

    code = "conflict"
    status = 409


class Unauthorized(TallystickError):
    """No API key was given, or one that is not known."""

    code = "unauthorized"
    status = 401


class Forbidden(TallystickError):
    """The API key is valid but does not allow this."""

    code = "forbidden"
    status = 403


class TooLarge(TallystickError):
    """More than one request may carry."""

    code = "too_large"
    status = 413


class Unavailable(TallystickError):
    """The service can't take this now; nothing of it was accepted, and it may be sent again."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigurationError(TallystickError):
    """The installation is not set up right."""

    code = "configuration"
    exit_code = 2


class StorageError(TallystickError):
    """PostgreSQL can't be had."""

    code = "storage"
    status = 503
