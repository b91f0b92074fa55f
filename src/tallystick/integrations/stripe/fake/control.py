"""Routes that are not Stripe's: to look into a fake that is a process of its own, move its clock, and harm it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from tallystick.core.money import plain
from tallystick.integrations.stripe.fake.account import FakeStripe
from tallystick.integrations.stripe.fake.exchange import Answer, Request
from tallystick.integrations.stripe.fake.faults import Effect, Fault

PREFIX = "/_fake/"


class _FaultIn(msgspec.Struct, forbid_unknown_fields=True):
    effect: Effect
    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    seconds: float = 0.05
    code: str = "meter_event_customer_not_found"


class _ClockIn(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: float = 0
    set: datetime | None = None


class Control:
    """Answers the routes below `/_fake/`."""

    def __init__(self, account: FakeStripe) -> None:
        self._account = account
        self._routes: dict[tuple[str, str], Callable[[bytes], Any]] = {
            ("GET", "state"): lambda _: self._state(),
            ("POST", "clock"): self._clock,
            ("POST", "faults"): self._plan,
            ("DELETE", "faults"): lambda _: self._account.faults.clear(),
            ("GET", "totals"): lambda _: self._totals(),
        }

    def answer(self, request: Request) -> Answer:
        """The answer to a request: 200 with JSON, 404, or 400 with a line that says why."""
        route = self._routes.get((request.method, request.path.removeprefix(PREFIX)))
        if route is None:
            known = ", ".join(f"{method} {PREFIX}{name}" for method, name in self._routes)
            return Answer(404, msgspec.json.encode({"error": f"the fake has {known}"}))
        try:
            with self._account.lock:
                return Answer(200, msgspec.json.encode(route(request.body)))
        except (msgspec.DecodeError, ValueError) as error:
            return Answer(400, msgspec.json.encode({"error": str(error)}))

    def _state(self) -> dict[str, Any]:
        account = self._account
        return {
            "now": account.clock.now(),
            "requests": {f"{name} {status}": count for (name, status), count in sorted(account.counts.items())},
            "events": {
                "accepted": account.usage.accepted,
                "duplicates": account.usage.duplicates,
                "rejected": account.usage.rejected,
            },
            "replays": account.idempotency.replays,
            "faults": account.faults.struck,
            "violations": account.violations,
            "unserved": account.unserved,
            "broken": account.broken,
        }

    def _clock(self, body: bytes) -> dict[str, Any]:
        wanted = msgspec.json.decode(body, type=_ClockIn)
        if wanted.set is not None:
            self._account.clock.set(wanted.set)
        self._account.advance(seconds=wanted.advance_seconds)
        return {"now": self._account.clock.now()}

    def _plan(self, body: bytes) -> None:
        for each in msgspec.json.decode(body, type=list[_FaultIn]):
            self._account.faults.plan(Fault(**msgspec.structs.asdict(each)))

    def _totals(self) -> list[dict[str, str]]:
        return [
            {"event_name": event_name, "customer": customer, "total": plain(total)}
            for (event_name, customer), total in sorted(self._account.totals().items())
        ]
