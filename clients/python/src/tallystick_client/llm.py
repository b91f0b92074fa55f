"""Tokens of language models, from what a provider's client answers: OpenAI's two interfaces, and Anthropic's.

`track_completion` records an answer that you have; `LlmTracker` wraps the call that makes it, streams included.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, TypeVar, Union, cast

from tallystick_client.errors import InvalidEvent, TallystickClientError
from tallystick_client.streams import AsyncStream, Stream, Summary, get
from tallystick_client.tracking import Tracking

log = logging.getLogger("tallystick_client")

EVENT = "llm_request"
COUNTED = ("messages", "prompt")
"""Arguments of the interfaces whose streams say their usage only if they are asked to."""

Function = TypeVar("Function", bound=Callable[..., Any])
TeamOfCall = Union[str, Callable[..., str]]


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
    tokens = tokens_of(get(response, "usage"))
    tracker.track(
        team,
        EVENT,
        user_id=user_id,
        idempotency_key=get(response, "id"),
        properties={**metadata, "model": get(response, "model"), "usage": tokens._asdict()},
    )
    return tokens


def tokens_of(usage: Any) -> Tokens:
    """The tokens of a provider's `usage`, in which OpenAI counts cached input among the input, Anthropic beside it.

    Raises:
        InvalidEvent: there is no usage.
    """
    read, written = get(usage, "cache_read_input_tokens"), get(usage, "cache_creation_input_tokens")
    asked = _first(usage, "prompt_tokens", "input_tokens")
    answered = _first(usage, "completion_tokens", "output_tokens")
    if asked is None or answered is None:
        raise InvalidEvent("the answer has no usage; ask for it (a stream: stream_options include_usage)")
    if read is not None or written is not None:
        return Tokens(asked + (written or 0), read or 0, answered)
    details = _first(usage, "prompt_tokens_details", "input_tokens_details")
    cached = get(details, "cached_tokens") or 0
    return Tokens(asked - cached, cached, answered)


def _first(owner: Any, *names: str) -> Any:
    return next((value for name in names if (value := get(owner, name)) is not None), None)


class LlmTracker:
    """Wraps the calls of a provider's client, so that each records its tokens.

        llm = LlmTracker(tracker)
        create = llm.wrap(openai.chat.completions.create, team="acme", feature="chat")
        answer = create(model="gpt-5", messages=[...])
        for chunk in create(model="gpt-5", messages=[...], stream=True): ...

    Synchronous and asynchronous calls, with and without streaming. What they return is what they return without it.
    A call never fails because it could not be recorded: that is logged.
    """

    def __init__(self, tracker: Tracking) -> None:
        self._tracker = tracker

    def wrap(
        self,
        create: Function,
        *,
        team: TeamOfCall,
        user_id: str | None = None,
        **metadata: Any,
    ) -> Function:
        """The same call, recorded.

        Where a stream of chat completions would not say its usage, it is asked to; the part that this adds at its end
        is kept from you. A stream is recorded when it has ended. One that is left before has no usage to record, as the
        provider says it at the end: that is logged.

        Args:
            create: such as `client.chat.completions.create`, `client.responses.create`, `client.messages.create`.
            team: who is billed, or a function that is called with the call's arguments and returns it.
            user_id: who asks.
            **metadata: what to group by.
        """
        asks = _takes_stream_options(create)

        @functools.wraps(create)
        def call(*arguments: Any, **named: Any) -> Any:
            billed = self._billed(team, arguments, named)

            def record(answer: Any) -> None:
                if billed is not None:
                    self._record(billed, answer, user_id, metadata)

            hidden = asks and _ask_for_usage(named)
            answer = create(*arguments, **named)
            if inspect.isawaitable(answer):
                return _awaited(answer, record, hidden=hidden)
            return _watched(answer, record, hidden=hidden)

        return cast("Function", call)

    @staticmethod
    def _billed(team: TeamOfCall, arguments: tuple[Any, ...], named: dict[str, Any]) -> str | None:
        """Whose call it is, asked when it begins; None if that can't be told."""
        try:
            return team if isinstance(team, str) else team(*arguments, **named)
        except Exception:
            log.exception("the tokens of a model's answer are not recorded: there is no team")
            return None

    def _record(self, team: str, answer: Any, user_id: str | None, metadata: Mapping[str, Any]) -> None:
        try:
            track_completion(self._tracker, team, answer, user_id=user_id, **metadata)
        except TallystickClientError as error:
            log.error("the tokens of a model's answer to %s were not recorded: %s", team, error)
        except Exception:
            log.exception("the tokens of a model's answer to %s were not recorded", team)


def _takes_stream_options(create: Callable[..., Any]) -> bool:
    try:
        return "stream_options" in inspect.signature(create).parameters
    except (TypeError, ValueError):
        return False


def _ask_for_usage(named: dict[str, Any]) -> bool:
    """Let a stream say its usage at its end; whether it would not have."""
    if not named.get("stream") or not any(name in named for name in COUNTED):
        return False
    options = named.get("stream_options")
    if isinstance(options, Mapping) and "include_usage" in options:
        return False
    named["stream_options"] = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
    return True


async def _awaited(answer: Any, record: Callable[[Any], None], *, hidden: bool) -> Any:
    return _watched(await answer, record, hidden=hidden)


def _watched(answer: Any, record: Callable[[Any], None], *, hidden: bool) -> Any:
    """The answer, recorded; a stream, that will be when it has ended."""
    if hasattr(answer, "__aiter__"):
        return AsyncStream(answer, Summary(record, hidden=hidden))
    if hasattr(answer, "__next__"):
        return Stream(answer, Summary(record, hidden=hidden))
    record(answer)
    return answer
