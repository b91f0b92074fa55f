"""Idempotency keys: the first answer to a key is the answer, an error of execution as well."""

from collections import deque
from dataclasses import dataclass

from tallystick.integrations.stripe.fake.assumptions import V2_IDEMPOTENCY_WINDOW, Assumptions
from tallystick.integrations.stripe.fake.description import Operation
from tallystick.integrations.stripe.fake.refusals import Refused


@dataclass(slots=True)
class _Kept:
    request: bytes
    answer: tuple[int, bytes] | None = None  # None while it is under way


class Idempotency:
    """What was answered to which key.

    v1 replays the first answer of an execution whatever it was, for a day; v2 replays success alone, for 30.
    """

    def __init__(self, assumed: Assumptions) -> None:
        self._assumed = assumed
        self._kept: dict[str, _Kept] = {}
        self._forgetting: deque[tuple[float, str, _Kept]] = deque()
        self.replays = 0

    def begin(self, operation: Operation, key: str, request: bytes, now: float) -> tuple[int, bytes] | None:
        """The answer that a key has already; without one the request is under way from now on.

        Raises:
            Refused: the key is another request's, or its first one is still under way.
        """
        self._forget(now)
        if (kept := self._kept.get(key)) is None:
            begun = self._kept[key] = _Kept(request)
            window = V2_IDEMPOTENCY_WINDOW if operation.is_v2 else self._assumed.a24_idempotency_window
            self._forgetting.append((now + window, key, begun))
            return None
        if kept.request != request:
            raise Refused(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with.",
                kind="idempotency_error",
            )
        if kept.answer is None:
            raise Refused(
                409,
                "There is currently another in-progress request using this Idempotency Key.",
                code="idempotency_key_in_use",
                kind="idempotency_error",
            )
        self.replays += 1
        return kept.answer

    def finish(self, operation: Operation, key: str, status: int, body: bytes, *, remember: bool) -> None:
        """The request is done."""
        if remember and (status < 400 or self._remembers(operation, status)):
            self._kept[key].answer = (status, body)
        else:
            self.drop(key)

    def drop(self, key: str) -> None:
        """The request came to nothing: its key is free."""
        self._kept.pop(key, None)

    def _remembers(self, operation: Operation, status: int) -> bool:
        if operation.is_v2:
            return False
        return status in {429, 500} or self._assumed.a25_refusals_are_remembered

    def _forget(self, now: float) -> None:
        while self._forgetting and self._forgetting[0][0] <= now:
            _, key, kept = self._forgetting.popleft()
            if self._kept.get(key) is kept and kept.answer is not None:
                del self._kept[key]
