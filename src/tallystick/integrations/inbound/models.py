"""What the settings file of inbound webhooks says: sources, how each signs, and how its payloads become events."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
"""One name, or several."""


# --- Who may send ----------------------------------------------------------------------------------


class _Secret(_Strict):
    """Secrets are named, not written down: each is an environment variable; several are valid at once."""

    secrets: Names

    @model_validator(mode="after")
    def _are_variables(self) -> Self:
        for name in self.secrets:
            if not VARIABLE.fullmatch(name):
                raise ValueError(f"secrets are names of environment variables, and {name!r} can't be one")
        return self


class StandardSignature(_Secret):
    """Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature` (or `svix-…`)."""

    scheme: Literal["standard"]
    tolerance: int = Field(default=300, ge=1, le=86_400)


class StripeSignature(_Secret):
    """`t=…,v1=…` in one header, of the time and the body."""

    scheme: Literal["stripe"]
    header: str = "Stripe-Signature"
    tolerance: int = Field(default=300, ge=1, le=86_400)


class HmacSignature(_Secret):
    """An HMAC of the body in a header; with `timestamp_header`, of `{timestamp}.{body}`."""

    scheme: Literal["hmac"]
    header: str
    algorithm: Literal["sha256", "sha1", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    timestamp_header: str | None = None
    tolerance: int = Field(default=300, ge=1, le=86_400)


class TokenSignature(_Secret):
    """A shared secret, as it is: in a header, or in the URL for systems that can set none."""

    scheme: Literal["token"]
    header: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if (self.header is None) == (self.query is None):
            raise ValueError("a token is in a header or in the query: give one of the two")
        return self


Signature: TypeAlias = Annotated[
    StandardSignature | StripeSignature | HmacSignature | TokenSignature, Field(discriminator="scheme")
]


# --- What becomes of a payload ---------------------------------------------------------------------


class TimeFormat(StrEnum):
    """How a payload writes an instant."""

    RFC3339 = "rfc3339"
    UNIX = "unix"
    UNIX_MS = "unix_ms"


Path: TypeAlias = tuple[str, ...]
"""The keys that lead to a value; `$` at the start: from the payload as a whole, not from the item."""


def _path(value: Any) -> Any:
    return tuple(value.split(".")) if isinstance(value, str) else value


PathIn = Annotated[Path, BeforeValidator(_path), Field(min_length=1)]


class FieldMap(_Strict):
    """Where the value of a field comes from: one of `path`, `value`, `join` and `header`.

    Attributes:
        path: dotted keys of the item; a number is a place in a list, `$.` begins at the payload as a whole.
        value: always this.
        join: the values of several paths, with a `/` between them; there is none if one of them is missing.
        header: of the request.
        lookup: what stands for each value; another value is refused, unless there is a default.
        default: where there is no value.
        format: of an instant.
    """

    path: PathIn | None = None
    value: str | int | bool | None = None
    join: tuple[PathIn, ...] = ()
    header: str | None = None
    lookup: dict[str, str] | None = None
    default: str | None = None
    format: TimeFormat | None = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        given = [self.path is not None, self.value is not None, bool(self.join), self.header is not None]
        if sum(given) != 1:
            raise ValueError("a field has one of path, value, join and header")
        return self


def _field(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Mapped = Annotated[FieldMap, BeforeValidator(_field)]
"""A field; a text alone is its path."""


class EventMap(_Strict):
    """The fields of an event. `metadata` names the keys to keep, or is `all`: the whole item."""

    team_id: Mapped
    event_name: Mapped
    idempotency_key: Mapped | None = None
    quantity: Mapped | None = None
    timestamp: Mapped | None = None
    unit: Mapped | None = None
    user_id: Mapped | None = None
    event_type: Mapped | None = None
    metadata: dict[str, Mapped] | Literal["all"] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _formats_instants_alone(self) -> Self:
        for name, field in self.fields():
            if field.format is not None and name != "timestamp":
                raise ValueError(f"{name} is no instant; format is for timestamp")
        return self

    def fields(self) -> Sequence[tuple[str, FieldMap]]:
        """The fields that are mapped, with their names; metadata apart."""
        named = ((name, getattr(self, name)) for name in type(self).model_fields if name != "metadata")
        return [(name, field) for name, field in named if field is not None]


class Source(_Strict):
    """One sender.

    Attributes:
        signature: how it shows who it is.
        items: the path of a list in the payload, of which each element is an event; default: the payload is one.
        when: path → the texts one of which the value there must be; other items are passed over.
        map: from an item to an event.
    """

    signature: Signature
    items: PathIn | None = None
    when: dict[str, Names] = Field(default_factory=dict)
    map: EventMap

    @model_validator(mode="after")
    def _has_identities(self) -> Self:
        if self.map.idempotency_key is None and not isinstance(self.signature, StandardSignature):
            raise ValueError("map needs an idempotency_key: what is the same when the same event is sent again")
        return self


class InboundFile(_Strict):
    """The file as a whole."""

    version: Literal[1]
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _names_fit_a_url(self) -> Self:
        for name in self.sources:
            if not NAME.fullmatch(name):
                raise ValueError(f"source {name!r}: a name has a-z, 0-9, _ and -, and 63 characters at most")
        return self
