"""Usage from systems that can only call a URL: signed requests, whose payloads are mapped to events by configuration.

`models` is what a settings file says, `signatures` who may send, `mapping` what becomes of a payload. From there on an
event is stored, counted once or kept as a dead letter like any other.
"""
