"""Tokens of a language model, from the provider's answer."""

from tallystick_client import Tracker, track_completion

answer = {  # in your program: what the provider's client returned
    "id": "chatcmpl-9f3a",
    "model": "large",
    "usage": {"prompt_tokens": 120, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 100}},
}

with Tracker() as tracker:
    print(track_completion(tracker, "acme", answer, feature="chat"))
