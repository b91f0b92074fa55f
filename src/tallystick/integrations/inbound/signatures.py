"""Whether a request was signed by who knows a source's secret. Times are compared with the injected clock."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from standardwebhooks import Webhook

from tallystick.core.errors import ConfigurationError, Unauthorized
from tallystick.integrations.inbound.models import (
    HmacSignature,
    Signature,
    StandardSignature,
    StripeSignature,
    TokenSignature,
)

PREFIXES = ("webhook", "svix")
"""What the headers of Standard Webhooks begin with, by its standard and by the service it came from."""


class Call(NamedTuple):
    """A request as it came: its headers by lower-case name, its query, its body, and when that was."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    now: datetime


class Refused(Unauthorized):
    """The request is not signed as its source signs."""


Verify: TypeAlias = Callable[[Call], None]
"""Passes a request that is signed right; raises Refused."""


def verifier(signature: Signature, environment: Mapping[str, str]) -> Verify:
    """What checks requests of a source.

    Raises:
        ConfigurationError: a secret is not in the environment, or is no secret of this scheme.
    """
    secrets = [_secret(name, environment) for name in signature.secrets]
    match signature:
        case StandardSignature():
            keys = [_standard_key(name, secret) for name, secret in zip(signature.secrets, secrets, strict=True)]
            return lambda call: _standard(signature, keys, call)
        case StripeSignature():
            return lambda call: _stripe(signature, secrets, call)
        case HmacSignature():
            return lambda call: _hmac(signature, secrets, call)
        case TokenSignature():
            return lambda call: _token(signature, secrets, call)


def _secret(name: str, environment: Mapping[str, str]) -> str:
    if not (secret := environment.get(name, "").strip()):
        raise ConfigurationError(f"the environment variable {name} is not set; it holds a webhook's secret")
    return secret


def _standard_key(name: str, secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (RuntimeError, binascii.Error, ValueError):
        raise ConfigurationError(f"{name} is no secret of Standard Webhooks; one looks like whsec_…") from None


def _standard(signature: StandardSignature, keys: Sequence[Webhook], call: Call) -> None:
    prefix = next((each for each in PREFIXES if f"{each}-id" in call.headers), PREFIXES[0])
    id, at, sent = (_header(call, f"{prefix}-{name}") for name in ("id", "timestamp", "signature"))
    moment = _recent(at, signature.tolerance, call.now)
    try:
        body = call.body.decode()
    except UnicodeDecodeError:
        raise Refused("the body is not UTF-8") from None
    _one_matches([key.sign(id, moment, body) for key in keys], sent.split(" "))


def _stripe(signature: StripeSignature, secrets: Sequence[str], call: Call) -> None:
    pairs = [part.strip().partition("=")[::2] for part in _header(call, signature.header).split(",")]
    at = next((value for name, value in pairs if name == "t"), "")
    _recent(at, signature.tolerance, call.now)
    signed = at.encode() + b"." + call.body
    _one_matches(
        [_digest(secret, signed, "sha256").hex() for secret in secrets],
        [value for name, value in pairs if name == "v1"],
    )


def _hmac(signature: HmacSignature, secrets: Sequence[str], call: Call) -> None:
    sent = _header(call, signature.header)
    if not sent.startswith(signature.prefix):
        raise Refused(f"the header {signature.header} does not begin with {signature.prefix}")
    signed = call.body
    if signature.timestamp_header is not None:
        at = _header(call, signature.timestamp_header)
        _recent(at, signature.tolerance, call.now)
        signed = at.encode() + b"." + signed
    digests = [_digest(secret, signed, signature.algorithm) for secret in secrets]
    given = sent.removeprefix(signature.prefix)
    if signature.encoding == "hex":
        _one_matches([digest.hex() for digest in digests], [given.lower()])
    else:
        _one_matches([base64.b64encode(digest).decode() for digest in digests], [given])


def _token(signature: TokenSignature, secrets: Sequence[str], call: Call) -> None:
    if signature.header is not None:
        sent = _header(call, signature.header).removeprefix("Bearer ")
    else:
        sent = call.query.get(signature.query or "", "")
    _one_matches(secrets, [sent])


def _header(call: Call, name: str) -> str:
    try:
        return call.headers[name.lower()]
    except KeyError:
        raise Refused(f"the header {name} is missing") from None


def _recent(text: str, tolerance: int, now: datetime) -> datetime:
    """The instant of a timestamp in Unix seconds, which must be near."""
    try:
        moment = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise Refused("the time of the signature is not in Unix seconds") from None
    if abs(now - moment) > timedelta(seconds=tolerance):
        raise Refused(
            f"the signature is more than {tolerance} s away from now; was it sent again, or is a clock wrong?"
        )
    return moment


def _digest(secret: str, signed: bytes, algorithm: str) -> bytes:
    return hmac.digest(secret.encode(), signed, getattr(hashlib, algorithm))


def _one_matches(expected: Iterable[str], sent: Sequence[str]) -> None:
    """Pass when one of the signatures is one of those expected; how long that takes says nothing about them."""
    pairs = [(each.encode(), other.encode()) for each in expected for other in sent]
    if not any([hmac.compare_digest(each, other) for each, other in pairs]):  # noqa: C419 - all of them, always
        raise Refused("the signature is not right")
