"""What Stripe answers instead of doing what was asked."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):
    """An answer that is an error.

    Attributes:
        status: of HTTP.
        message: one line for people.
        code: for programs, where Stripe has one.
        param: which parameter it is about.
        kind: Stripe's `type`.
        headers: beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.headers = headers or {}

    def body(self, *, is_v2: bool) -> dict[str, Any]:
        """The body of the answer."""
        if is_v2:
            kind = {} if self.kind == "invalid_request_error" else {"type": self.kind}
            code = "not_found" if self.code == "resource_missing" else self.code or "invalid_request"
            return {"error": {"code": code, "message": self.message, **kind}}
        known = {"type": self.kind, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in known.items() if value is not None}}


class NotServed(Refused):
    """The fake does not do this, and says so rather than pretend."""

    def __init__(self, what: str) -> None:
        super().__init__(501, f"The fake Stripe does not serve {what}", kind="api_error")


def missing(kind: str, identity: str, param: str | None = None) -> Refused:
    """There is no object of that identity."""
    status = 400 if param else 404
    return Refused(status, f"No such {kind}: '{identity}'", code="resource_missing", param=param or "id")


def wrong(message: str, param: str | None = None, code: str | None = None) -> Refused:
    """A request that can't be done as it is."""
    return Refused(400, message, param=param, code=code)


def rate_limited(reason: str | None) -> Refused:
    """Too many requests. Without a reason it is a lock that another request holds."""
    if reason is None:
        return Refused(429, "This object cannot be accessed right now because another request is using it; "
                       "try again", code="lock_timeout")  # fmt: skip
    return Refused(
        429, "Request rate limit exceeded", code="rate_limit", headers={"stripe-rate-limited-reason": reason}
    )


def server_error() -> Refused:
    """Stripe's own fault."""
    return Refused(500, "An unknown error occurred", kind="api_error", headers={"stripe-should-retry": "true"})
