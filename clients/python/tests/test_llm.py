"""Tokens of calls that are made through a provider's own client: plain and streamed, synchronous and not."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest

from tallystick_client import LlmTracker, RecordingTracker

USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 7,
    "total_tokens": 107,
    "prompt_tokens_details": {"cached_tokens": 60},
}
RESPONSE_USAGE = {
    "input_tokens": 100,
    "output_tokens": 7,
    "total_tokens": 107,
    "input_tokens_details": {"cached_tokens": 60},
    "output_tokens_details": {"reasoning_tokens": 0},
}
COUNTED = {"input_tokens": 40, "cached_input_tokens": 60, "output_tokens": 7}
CALL: dict[str, Any] = {"model": "large", "messages": [{"role": "user", "content": "hello"}]}
REPLY = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "large-2026", "usage": USAGE}
ANSWER = {
    "id": "resp-1",
    "object": "response",
    "created_at": 1,
    "model": "large-2026",
    "output": [],
    "usage": RESPONSE_USAGE,
}


@pytest.fixture
def tracker() -> RecordingTracker:
    return RecordingTracker()


class Provider:
    """Answers as OpenAI's interfaces do, over HTTP, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        self.asked.append(asked)
        chat = request.url.path.endswith("/chat/completions")
        if not asked.get("stream"):
            return httpx.Response(200, json={**REPLY, "choices": []} if chat else ANSWER)
        parts = self._chat(asked) if chat else self._responses()
        events = "".join(f"{event}data: {json.dumps(part)}\n\n" for event, part in parts)
        return httpx.Response(
            200, headers={"Content-Type": "text/event-stream"}, text=events + ("data: [DONE]\n\n" if chat else "")
        )

    @staticmethod
    def _chat(asked: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
        chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "large-2026"}
        said = [
            ("", {**chunk, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
            for text in "hello"
        ]
        includes = (asked.get("stream_options") or {}).get("include_usage")
        return [*said, ("", {**chunk, "choices": [], "usage": USAGE})] if includes else said

    @staticmethod
    def _responses() -> list[tuple[str, dict[str, Any]]]:
        begun = {"type": "response.created", "sequence_number": 0, "response": {**ANSWER, "usage": None}}
        ended = {"type": "response.completed", "sequence_number": 1, "response": ANSWER}
        return [(f"event: {part['type']}\n", part) for part in (begun, ended)]


@pytest.fixture
def provider() -> Provider:
    return Provider()


def client(provider: Provider) -> openai.OpenAI:
    transport = httpx.MockTransport(provider)
    return openai.OpenAI(api_key="x", base_url="http://llm/v1", http_client=httpx.Client(transport=transport))


def async_client(provider: Provider) -> openai.AsyncOpenAI:
    transport = httpx.MockTransport(provider)
    return openai.AsyncOpenAI(api_key="x", base_url="http://llm/v1", http_client=httpx.AsyncClient(transport=transport))


def assert_recorded(tracker: RecordingTracker, key: str) -> None:
    [event] = tracker.events
    assert (event["team_id"], event["event_name"], event["idempotency_key"]) == ("acme", "llm_request", key)
    assert event["metadata"] == {"feature": "chat", "model": "large-2026", "usage": COUNTED}


def test_a_call_is_recorded(tracker: RecordingTracker, provider: Provider):
    with client(provider) as llm:
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme", feature="chat")
        assert create(**CALL).id == "chatcmpl-1"
    assert_recorded(tracker, "chatcmpl-1")
    assert "stream_options" not in provider.asked[0]


async def test_an_asynchronous_call_is_recorded(tracker: RecordingTracker, provider: Provider):
    async with async_client(provider) as llm:
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme", feature="chat")
        assert (await create(**CALL)).id == "chatcmpl-1"
    assert_recorded(tracker, "chatcmpl-1")


def test_a_stream_is_asked_for_its_usage_and_looks_as_without_that(tracker: RecordingTracker, provider: Provider):
    with client(provider) as llm:
        plain = [part.choices[0].delta.content for part in llm.chat.completions.create(**CALL, stream=True)]
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme", feature="chat")
        assert [part.choices[0].delta.content for part in create(**CALL, stream=True)] == plain == list("hello")
    assert [asked.get("stream_options") for asked in provider.asked] == [None, {"include_usage": True}]
    assert_recorded(tracker, "chatcmpl-1")


async def test_an_asynchronous_stream_is_recorded(tracker: RecordingTracker, provider: Provider):
    async with async_client(provider) as llm:
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme", feature="chat")
        async with await create(**CALL, stream=True) as stream:
            assert stream.response.status_code == 200, "what else a stream has is there"
            assert [part.choices[0].delta.content async for part in stream] == list("hello")
    assert_recorded(tracker, "chatcmpl-1")


def test_usage_that_was_asked_for_is_shown(tracker: RecordingTracker, provider: Provider):
    with client(provider) as llm:
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme", feature="chat")
        with create(**CALL, stream=True, stream_options={"include_usage": True}) as stream:
            parts = list(stream)
    assert parts[-1].usage
    assert len(parts) == 6
    assert_recorded(tracker, "chatcmpl-1")


@pytest.mark.parametrize("stream", [False, True])
def test_the_other_interface_is_recorded_as_well(tracker: RecordingTracker, provider: Provider, stream: bool):
    with client(provider) as llm:
        create: Callable[..., Any] = LlmTracker(tracker).wrap(llm.responses.create, team="acme", feature="chat")
        answer = create(model="large", input="hello", stream=stream)
        if stream:
            assert [part.type for part in answer] == ["response.created", "response.completed"]
    assert_recorded(tracker, "resp-1")
    assert "stream_options" not in provider.asked[0]


def test_a_stream_that_says_its_usage_in_parts_is_recorded(tracker: RecordingTracker):
    """As Anthropic's does: the input at its beginning, the output at its end."""
    usage = {"input_tokens": 40, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 0, "output_tokens": 1}
    parts = [
        {"type": "message_start", "message": {"id": "msg-1", "model": "large-2026", "usage": usage}},
        {"type": "content_block_delta", "delta": {"text": "hello"}},
        {"type": "message_delta", "usage": {"output_tokens": 7}},
    ]
    create = LlmTracker(tracker).wrap(lambda **_: iter(parts), team="acme", feature="chat")
    assert list(create(messages=[], stream=True)) == parts
    assert_recorded(tracker, "msg-1")


def test_a_stream_that_is_left_is_said_to_be_missing(tracker: RecordingTracker, provider: Provider, caplog: Any):
    with client(provider) as llm:
        create = LlmTracker(tracker).wrap(llm.chat.completions.create, team="acme")
        with create(**CALL, stream=True) as stream:
            next(stream)
    assert tracker.events == []
    assert "acme were not recorded: the answer has no usage" in caplog.text


def test_a_call_that_fails_fails_as_before_and_is_not_recorded(tracker: RecordingTracker):
    def create(**_: Any) -> None:
        raise OSError("no connection")

    with pytest.raises(OSError, match="no connection"):
        LlmTracker(tracker).wrap(create, team="acme")()
    assert tracker.events == []


def test_the_team_can_follow_from_the_call(tracker: RecordingTracker, caplog: Any):
    answer = SimpleNamespace(id="resp-1", model="large", usage=SimpleNamespace(input_tokens=3, output_tokens=4))
    create = LlmTracker(tracker).wrap(lambda **_: answer, team=lambda **call: call["user"])
    assert create(user="initech") is answer
    assert create() is answer, "it ran, though nobody can be billed"
    assert [event["team_id"] for event in tracker.events] == ["initech"]
    assert "there is no team" in caplog.text
