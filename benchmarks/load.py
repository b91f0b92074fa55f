"""The load generator: sends traffic to a server from a process of its own and says what became of it."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from multiprocessing.connection import Connection

import msgspec

from benchmarks.client import Answer, answers, post
from benchmarks.traffic import Span, Traffic

TRACK = "/api/usage/track"


class WrongAnswer(Exception):
    """The server did not take what it was sent."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to send, and how.

    Attributes:
        address: of the server.
        events: how many.
        batch: events of one request.
        connections: each with one request under way.
        span: when the events happened; None: when they are sent.
        seed: two loads of one server need two.
        most_seconds: begin no request after that.
    """

    address: tuple[str, int]
    events: int
    batch: int
    connections: int
    span: Span | None
    seed: int
    most_seconds: float = 3600.0


@dataclass(slots=True)
class Loaded:
    """What became of it.

    Attributes:
        accepted, duplicates: events, as the server counted them.
        sent_bytes: of the requests' bodies.
        seconds: from the first request to the last answer.
        cpu_seconds: of the generator in that time.
        latencies: of requests, in seconds.
    """

    accepted: int = 0
    duplicates: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def events(self) -> int:
        """All that the server answered for."""
        return self.accepted + self.duplicates

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def generator_share(self) -> float:
        """How much of one core the generator used."""
        return self.cpu_seconds / self.seconds


def run(load: Load) -> Loaded:
    """Send the load from another process.

    Raises:
        WrongAnswer: an event was refused, or the server failed.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_report, args=(load, theirs, os.getpid()), daemon=True)
    process.start()
    theirs.close()
    try:
        outcome = mine.recv()
    except EOFError:
        raise WrongAnswer("the load generator died") from None
    finally:
        process.terminate()
        process.join()
    if isinstance(outcome, Loaded):
        return outcome
    raise WrongAnswer(outcome)


def _report(load: Load, pipe: Connection, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this process ends it
    try:
        pipe.send(send(load, lambda: os.getppid() == parent))
    except (OSError, WrongAnswer) as error:
        pipe.send(f"{type(error).__name__}: {error}")


def send(load: Load, wanted: Callable[[], bool] = lambda: True) -> Loaded:
    """Send the load from this process, for as long as somebody wants to know."""
    loaded = Loaded()
    traffic = Traffic(load.span, load.events, seed=load.seed)
    requests = takewhile(lambda _: wanted(), _requests(load, loaded, traffic))
    began, began_cpu = time.perf_counter(), time.process_time()
    for answer in answers(load.address, requests, connections=load.connections):
        _count(loaded, answer)
    loaded.seconds = time.perf_counter() - began
    loaded.cpu_seconds = time.process_time() - began_cpu
    return loaded


def _requests(load: Load, loaded: Loaded, traffic: Traffic) -> Iterator[bytes]:
    until = time.monotonic() + load.most_seconds
    for first in range(0, load.events, load.batch):
        if time.monotonic() > until:
            return
        events = traffic.events(min(load.batch, load.events - first))
        body = events[0] if load.batch == 1 else b"[" + b",".join(events) + b"]"
        loaded.sent_bytes += len(body)
        yield post(TRACK, body)


def _count(loaded: Loaded, answer: Answer) -> None:
    told = msgspec.json.decode(answer.body)
    if answer.status != 200 or told["rejected"]:
        raise WrongAnswer(f"{answer.status}: {answer.body[:500]!r}")
    loaded.accepted += told["accepted"]
    loaded.duplicates += told["duplicates"]
    loaded.latencies.append(answer.seconds)
