"""Streams of a language model's answer, which pass every part on and remember what they say of usage.

The three providers' interfaces say it in different places: OpenAI's chat completions in a last part without choices,
its responses in the event `response.completed`, Anthropic's messages in `message_start` and `message_delta`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import Any, Callable

COUNTS = (
    "prompt_tokens",
    "prompt_tokens_details",
    "completion_tokens",
    "input_tokens",
    "input_tokens_details",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
"""What usage holds that is counted."""

WRAPPED = ("response", "message")
"""Where a part may hold the answer that it is about."""


def get(owner: Any, name: str) -> Any:
    """A member of an object or a mapping; None if it has none."""
    return owner.get(name) if isinstance(owner, Mapping) else getattr(owner, name, None)


class Summary:
    """What the parts of a stream said: its id, its model, and its usage, of which the latest counts."""

    def __init__(self, record: Callable[[Any], None], *, hidden: bool) -> None:
        """Begin with nothing.

        Args:
            record: is called once, with `id`, `model` and `usage`, when the stream is over.
            hidden: whether the part that holds nothing but usage is kept from the program, which did not ask for it.
        """
        self._record = record
        self._hidden = hidden
        self._found: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._over = False

    def passes(self, part: Any) -> bool:
        """Remember what a part says; whether the program is to see it."""
        said = next((inner for name in WRAPPED if get(inner := get(part, name), "id")), part)
        for name in ("id", "model"):
            if (value := get(said, name)) is not None:
                self._found[name] = value
        usage = get(said, "usage")
        if usage is not None:
            self._usage.update((name, value) for name in COUNTS if (value := get(usage, name)) is not None)
        return not (self._hidden and usage is not None and get(part, "choices") == [])

    def over(self) -> None:
        """The stream has ended, or was left."""
        if not self._over:
            self._over = True
            self._record({**self._found, "usage": self._usage or None})


class _Passed:
    """A stream that is passed on. What is not about its parts is asked of the provider's own."""

    def __init__(self, stream: Any, summary: Summary) -> None:
        self._stream = stream
        self._summary = summary

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Stream(_Passed):
    """A stream of a synchronous client."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            while True:
                part = next(self._stream)
                if self._summary.passes(part):
                    return part
        except BaseException:  # its end as well
            self._summary.over()
            raise

    def close(self) -> None:
        """Leave it."""
        self._summary.over()
        close = getattr(self._stream, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncStream(_Passed):
    """A stream of an asynchronous client."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            while True:
                part = await self._stream.__anext__()
                if self._summary.passes(part):
                    return part
        except BaseException:  # its end as well
            self._summary.over()
            raise

    async def close(self) -> None:
        """Leave it."""
        self._summary.over()
        close = getattr(self._stream, "close", None) or getattr(self._stream, "aclose", None)
        if close is not None:
            await close()

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
