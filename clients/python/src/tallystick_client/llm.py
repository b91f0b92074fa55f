"""Tokens of language models, from the answer of a provider's client: OpenAI's two interfaces, and Anthropic's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tallystick_client.errors import InvalidEvent
from tallystick_client.tracking import Tracking

EVENT = "llm_request"


class Tokens(NamedTuple):
    """Tokens of one request. No token is in two of them: `input_tokens` leaves out the cached ones."""

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int


def track_completion(
    tracker: Tracking, team: str, response: Any, *, user_id: str | None = None, **metadata: Any
) -> Tokens:
    """Record a model's answer as an event `llm_request`, once, however often it is called with the same answer.

    Args:
        tracker: where it is recorded.
        team: who is billed.
        response: the provider's answer, an object or a mapping with `usage`, `model` and `id`; of a stream, the
            last part, which has the usage.
        user_id: who asked.
        **metadata: what else to group by.

    Raises:
        InvalidEvent: the answer has no usage.
    """
    tokens = tokens_of(_get(response, "usage"))
    tracker.track(
        team,
        EVENT,
        user_id=user_id,
        idempotency_key=_get(response, "id"),
        properties={**metadata, "model": _get(response, "model"), "usage": tokens._asdict()},
    )
    return tokens


def tokens_of(usage: Any) -> Tokens:
    """The tokens of a provider's `usage`, in which OpenAI counts cached input among the input, Anthropic beside it.

    Raises:
        InvalidEvent: there is no usage.
    """
    read, written = _get(usage, "cache_read_input_tokens"), _get(usage, "cache_creation_input_tokens")
    asked = _first(usage, "prompt_tokens", "input_tokens")
    answered = _first(usage, "completion_tokens", "output_tokens")
    if asked is None or answered is None:
        raise InvalidEvent("the answer has no usage; ask for it (a stream: stream_options include_usage)")
    if read is not None or written is not None:
        return Tokens(asked + (written or 0), read or 0, answered)
    details = _first(usage, "prompt_tokens_details", "input_tokens_details")
    cached = _get(details, "cached_tokens") or 0
    return Tokens(asked - cached, cached, answered)


def _get(owner: Any, name: str) -> Any:
    return owner.get(name) if isinstance(owner, Mapping) else getattr(owner, name, None)


def _first(owner: Any, *names: str) -> Any:
    return next((value for name in names if (value := _get(owner, name)) is not None), None)
