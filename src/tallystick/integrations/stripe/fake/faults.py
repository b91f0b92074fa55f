"""Faults on purpose: what goes wrong, where, and how often; chance comes from a seed."""

from collections.abc import Collection
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import NamedTuple


class Effect(StrEnum):
    """What goes wrong with a request."""

    UNREACHABLE = "unreachable"
    """The connection is cut before anything was done."""
    HANGS = "hangs"
    """Nothing is done and nothing is answered for a while; then the connection is cut."""
    RATE_LIMITED = "rate_limited"
    """429 of a rate limiter, which no idempotency key remembers."""
    UNAVAILABLE = "unavailable"
    """503 before anything was done, which no idempotency key remembers."""

    SERVER_ERROR = "server_error"
    """500 while it was done: nothing is, and the idempotency key remembers the 500."""
    LOCK_TIMEOUT = "lock_timeout"
    """429 of a lock: nothing is done, and the idempotency key remembers the 429."""
    DONE_BUT_SERVER_ERROR = "done_but_server_error"
    """It is done; the answer is 500, and the idempotency key remembers the 500."""
    NEVER_COUNTED = "never_counted"
    """An event is accepted and never counted, and no report says so."""
    COUNTED_TWICE = "counted_twice"
    """An event is accepted and counted twice."""
    REJECTED_LATER = "rejected_later"
    """An event is accepted, and an error report says later that it was not counted."""

    LOST_ANSWER = "lost_answer"
    """It is done, and the connection is cut before the answer."""
    ANSWER_HANGS = "answer_hangs"
    """It is done, and nothing is answered for a while; then the connection is cut."""
    GARBLED = "garbled"
    """It is done, and the answer is a gateway's page."""
    SLOW = "slow"
    """It is done, and the answer takes a while."""


class Stage(StrEnum):
    """Where on a request's way a fault strikes."""

    ARRIVAL = "arrival"
    EXECUTION = "execution"
    ANSWER = "answer"


_STAGES = {
    **dict.fromkeys((Effect.UNREACHABLE, Effect.HANGS, Effect.RATE_LIMITED, Effect.UNAVAILABLE), Stage.ARRIVAL),
    **dict.fromkeys((Effect.LOST_ANSWER, Effect.ANSWER_HANGS, Effect.GARBLED, Effect.SLOW), Stage.ANSWER),
}


class Fault(NamedTuple):
    """Something that is to go wrong.

    Attributes:
        effect: what.
        operation: with which operations, as the description spells them; `*` and `?` stand for any.
        times: how often, None for always.
        skip: how many matching requests pass first.
        chance: of each request that matches, how likely it is to be struck.
        seconds: how long, for effects that take a while, in real time.
        code: of the error report, for `rejected_later`.
    """

    effect: Effect
    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    seconds: float = 0.05
    code: str = "meter_event_customer_not_found"


class Faults:
    """The faults that are planned. A fault strikes for itself: a request may meet one on arrival and one later."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - faults are to be repeatable, not secret
        self._planned: list[Fault] = []
        self.struck: dict[Effect, int] = {}

    def plan(self, *faults: Fault) -> None:
        """Let these go wrong, from now on."""
        self._planned.extend(faults)

    def at_random(self, chance: float, effects: Collection[Effect], operation: str = "*") -> None:
        """Let each request that matches be struck with a chance, by any of the effects."""
        for effect in effects:
            self.plan(Fault(effect, operation, times=None, chance=chance / len(effects)))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._planned.clear()

    def strike(self, stage: Stage, operation: str) -> Fault | None:
        """The fault that strikes a request now, if any."""
        for index, fault in enumerate(self._planned):
            if _STAGES.get(fault.effect, Stage.EXECUTION) is stage and fnmatchcase(operation, fault.operation):
                if fault.skip:
                    self._planned[index] = fault._replace(skip=fault.skip - 1)
                elif fault.chance >= 1 or self._random.random() < fault.chance:
                    self._use(index, fault)
                    return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        self.struck[fault.effect] = self.struck.get(fault.effect, 0) + 1
        if fault.times is not None:
            self._planned[index] = fault._replace(times=fault.times - 1)
            if fault.times == 1:
                del self._planned[index]
