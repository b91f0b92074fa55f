"""Traffic as a seller of an API sees it: skewed, with resends and late events. Events come ready encoded.

One team sends 35 % of the events, five 78 %, ten 90 %, and 200 share the rest. One event in a hundred is
sent twice, and one arrives one to three days late. The same seed gives the same traffic.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import msgspec

HOT = "northwind"
LARGE = (
    (HOT, 35.0), ("contoso", 16.0), ("initech", 12.0), ("umbrella", 9.0), ("hooli", 6.0),
    ("globex", 4.0), ("acme", 3.0), ("vandelay", 2.0), ("soylent", 1.6), ("wonka", 1.4),
)  # fmt: skip
TAIL = tuple(f"startup_{number:03}" for number in range(200))
TEAMS = (*(team for team, _ in LARGE), *TAIL)
_TAIL_SCALE = 10.0 / sum(1 / rank for rank in range(1, len(TAIL) + 1))
WEIGHTS = (*(weight for _, weight in LARGE), *(_TAIL_SCALE / rank for rank in range(1, len(TAIL) + 1)))

DAYS = 27
"""How many whole days before today the history of a benchmark goes back: less than any billing month."""

DUPLICATES = 0.01
LATE = 0.01
ENDPOINTS = ("/v1/search", "/v1/documents", "/v1/embeddings", "/v1/jobs", "/v1/files", "/v1/users")
REGIONS = ("eu-west-1", "us-east-1", "ap-southeast-2")
MODELS = ("small", "large", "large-vision")

_KINDS = 16_384  # different events, without the time and key that make each its own
_REMEMBERED = 20_000  # events; what is sent again is of the older half
_DAY = 86_400_000
_SECONDS = tuple(f"{milliseconds / 1000:06.3f}".encode() for milliseconds in range(60_000))


def first_day() -> date:
    """The day on which the teams' subscriptions and the traffic of a history begin."""
    return datetime.now(UTC).date() - timedelta(days=DAYS)


def catalogue() -> str:
    """The billing file of the benchmarks: five metrics, one plan, every team on it since the first day."""
    teams = "\n".join(f"  {team}: {{plan: standard, start: {first_day()}, anchor: anniversary}}" for team in TEAMS)
    return f"{_CATALOGUE}\nteams:\n{teams}\n"


_CATALOGUE = """
version: 1
currency: USD
metrics:
  api_calls: {event: api_call, aggregation: count, unit: call, dimensions: [endpoint, region]}
  active_users: {event: api_call, aggregation: unique_count, value: user_id, unit: user}
  slowest_call: {event: api_call, aggregation: max, value: metadata.duration_ms, unit: ms}
  tokens: {event: completion, aggregation: sum, value: metadata.tokens, unit: token, dimensions: [model]}
  egress: {event: transfer, aggregation: sum, unit: GB, dimensions: [region]}
plans:
  standard:
    prices:
      - metric: api_calls
        model: graduated
        tiers:
          - {up_to: 10000, unit_price: 0}
          - {up_to: 100000, unit_price: 0.001}
          - {unit_price: 0.0008}
      - {metric: tokens, model: per_unit, unit_price: 0.0000025}
      - {metric: egress, model: per_unit, unit_price: 0.09}
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The time over which events are spread, in milliseconds of the Unix epoch, first to last or in no order."""

    start: int
    end: int
    scattered: bool = False

    @classmethod
    def history(cls, *, scattered: bool = False) -> "Span":
        """From the first day until now."""
        begin = datetime.combine(first_day(), datetime.min.time(), UTC)
        return cls(int(begin.timestamp()) * 1000, _now(), scattered)

    @classmethod
    def live(cls) -> "Span":
        """The minute that has just passed."""
        return cls(_now() - 60_000, _now())


class Traffic:
    """A stream of encoded events, in the order in which they are sent."""

    def __init__(self, span: Span | None, events: int, *, seed: int) -> None:
        """So many events, spread over the span, or each at the moment it is made."""
        self._span = span
        self._step = (span.end - span.start) / events if span else 0.0
        self._seed = seed
        self._random = random.Random(seed)
        self._kinds = [_encoded(kind) for kind in _kinds(self._random)]
        self._sent = 0
        self._recent: deque[bytes] = deque(maxlen=_REMEMBERED)

    def events(self, count: int) -> list[bytes]:
        """The next events."""
        return [self._next() for _ in range(count)]

    def _next(self) -> bytes:
        roll = self._random.random()
        if roll < DUPLICATES and self._recent:
            return self._recent[int(roll / DUPLICATES * len(self._recent) / 2)]
        late = self._random.randint(_DAY, 3 * _DAY) if roll > 1 - LATE else 0
        event = self._event(self._moment() - late)
        self._recent.append(event)
        return event

    def _moment(self) -> int:
        if self._span is None:
            return _now()
        if self._span.scattered:
            return self._random.randint(self._span.start, self._span.end)
        return self._span.start + int(self._step * self._sent)

    def _event(self, at: int) -> bytes:
        self._sent += 1
        kind = self._kinds[int(self._random.random() * _KINDS)]
        return b'%b"timestamp":"%b%bZ","idempotency_key":"req_%x_%09x"}' % (
            kind, _minute(at // 60_000), _SECONDS[at % 60_000], self._seed, self._sent,
        )  # fmt: skip


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


@lru_cache(maxsize=8192)
def _minute(minutes: int) -> bytes:
    return f"{datetime.fromtimestamp(minutes * 60, UTC):%Y-%m-%dT%H:%M:}".encode()


def _encoded(kind: dict[str, object]) -> bytes:
    return msgspec.json.encode(kind)[:-1] + b","


def _kinds(source: random.Random) -> Iterator[dict[str, object]]:
    for team in source.choices(TEAMS, WEIGHTS, k=_KINDS):
        (kind,) = source.choices((_api_call, _completion, _transfer), (70, 20, 10))
        yield {"team_id": team, "user_id": _user(source, team), **kind(source)}


def _user(source: random.Random, team: str) -> str:
    """A few users of a team are busy, most are not."""
    number = int(source.paretovariate(0.8)) % (5000 if team == HOT else 500)
    return f"user_{team[:4]}_{number:05}"


def _api_call(source: random.Random) -> dict[str, object]:
    metadata = {
        "endpoint": source.choice(ENDPOINTS),
        "region": source.choice(REGIONS),
        "method": source.choice(("GET", "POST")),
        "status": source.choice((200, 200, 200, 404)),
        "duration_ms": int(source.lognormvariate(4, 1)),
    }
    return {"event_name": "api_call", "event_type": "request", "metadata": metadata}


def _completion(source: random.Random) -> dict[str, object]:
    metadata = {"model": source.choice(MODELS), "tokens": int(source.lognormvariate(6, 1)), "stream": True}
    return {"event_name": "completion", "event_type": "request", "metadata": metadata}


def _transfer(source: random.Random) -> dict[str, object]:
    quantity = f"{source.randrange(1, 10**9) / 10**9:.9f}"
    metadata = {"region": source.choice(REGIONS), "direction": "out"}
    return {"event_name": "transfer", "quantity": quantity, "unit": "GB", "metadata": metadata}
