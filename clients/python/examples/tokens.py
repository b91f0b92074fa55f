"""Tokens of a language model: of an answer that you have, and of calls that are wrapped."""

from tallystick_client import LlmTracker, Tracker, track_completion

answer = {  # in your program: what the provider's client returned
    "id": "chatcmpl-9f3a",
    "model": "large",
    "usage": {"prompt_tokens": 120, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 100}},
}


def create(**_call: object) -> "dict[str, object]":
    """In your program: `OpenAI().chat.completions.create`, or that of `AsyncOpenAI`."""
    return {**answer, "id": "chatcmpl-9f3b"}


with Tracker() as tracker:
    print(track_completion(tracker, "acme", answer, feature="chat"))

    create = LlmTracker(tracker).wrap(create, team="acme", feature="chat")
    print(create(model="large", messages=[{"role": "user", "content": "hello"}]))  # stream=True as well
