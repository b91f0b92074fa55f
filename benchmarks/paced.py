"""Requests at a steady rate, however long the answers take: what a gateway does, not what a batch job does.

A request that can't be sent when it is due, because every connection waits for an answer, has its latency counted
from when it was due. So a server that stalls is not spared the requests that would have come meanwhile.
"""

import multiprocessing
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.synchronize import Event

from benchmarks.client import Answer, Line


def paced(
    address: tuple[str, int],
    requests: Iterator[bytes],
    *,
    per_second: float,
    connections: int = 32,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[Answer]:
    """Send the requests at this rate and yield their answers, until there are no more, or none are wanted."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        # In turn, so that none is silent for so long that the server ends it.
        idle = deque(stack.enter_context(Line(address, selector)) for _ in range(connections))
        late: dict[int, float] = {}
        began, sent, under_way, following = time.perf_counter(), 0, 0, next(requests, None)
        while under_way or (following is not None and wanted()):
            due = began + sent / per_second
            while following is not None and idle and due <= time.perf_counter():
                line = idle.popleft()
                late[id(line)] = time.perf_counter() - due
                line.send(following)
                sent, under_way, following = sent + 1, under_way + 1, next(requests, None)
                due = began + sent / per_second
            for key, mask in selector.select(max(due - time.perf_counter(), 0.0) if idle else None):
                if (answer := key.data.proceed(mask)) is not None:
                    idle.append(key.data)
                    under_way -= 1
                    yield answer._replace(seconds=answer.seconds + late.pop(id(key.data)))


@contextmanager
def beside(work: Callable[..., None], *arguments: object) -> Iterator[None]:
    """Run `work(…, ended)` in another process while the block runs; it stops when `ended` is set."""
    context = multiprocessing.get_context("spawn")
    ended: Event = context.Event()
    process = context.Process(target=work, args=(*arguments, ended), daemon=True)
    process.start()
    try:
        yield
    finally:
        ended.set()
        process.join(30)
        process.terminate()
        process.join()
