"""How much is taken on at once: requests under way, and bytes of their bodies that are held in memory.

What goes beyond is refused at once, with 503 and `Retry-After`, and not queued: a client that waits for an
answer that can't come in time only adds to the load when it tries again.
"""

from starlette.exceptions import HTTPException

from tallystick.core.errors import Unavailable

HELD = "tallystick.held"
"""The key of the ASGI scope under which the gate leaves what the request holds."""

RETRY_AFTER = 1
MOST_REQUESTS = 2000
MOST_BYTES = 256 * 1024 * 1024


class Held:
    """What one request holds of the capacity."""

    __slots__ = ("_capacity", "counted", "size")

    def __init__(self, capacity: "Capacity") -> None:
        self._capacity = capacity
        self.counted = True
        self.size = 0

    def take(self, size: int) -> None:
        """Hold more bytes, until the request ends.

        Raises:
            HTTPException: 503; other requests hold too much. FastAPI lets only this kind of error through while
                it reads a body.
        """
        self._capacity.take(size)
        self.size += size

    def let_go(self) -> None:
        """Make room for another request: this one goes on without end, and has a limit of its own."""
        self._capacity.leave(self)
        self.counted = False


class Capacity:
    """The requests and bytes that one server process may have under way."""

    def __init__(self, *, requests: int = MOST_REQUESTS, body_bytes: int = MOST_BYTES) -> None:
        self._most_requests = requests
        self._most_bytes = body_bytes
        self.requests = 0
        self.bytes = 0

    def enter(self) -> Held:
        """Take on a request, which has to `leave` again.

        Raises:
            Unavailable: there are too many.
        """
        if self.requests >= self._most_requests:
            raise Unavailable("too many requests are under way; send it again", retry_after=RETRY_AFTER)
        self.requests += 1
        return Held(self)

    def leave(self, held: Held) -> None:
        """A request is over, and what it held is free."""
        if held.counted:
            self.requests -= 1
            self.bytes -= held.size

    def take(self, size: int) -> None:
        """Hold more bytes. A request that is the only one gets what it needs: other limits bound it."""
        if self.requests > 1 and self.bytes + size > self._most_bytes:
            detail = "too much is being sent at once; send it again"
            raise HTTPException(503, detail, headers={"Retry-After": str(RETRY_AFTER)})
        self.bytes += size
