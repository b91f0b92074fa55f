"""What the client's middleware adds to a call of your application, with every event on the disk before it ends.

Applications that answer at once are called directly, bare and with the middleware in turns, without a server in front;
so everything that is added shows. The tracker is a real one: it writes its spool to the disk and delivers to a real
server meanwhile, whose time on the same cores is part of the noise.
"""

import asyncio
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.installation import Broken, Installation
from benchmarks.results import Figure, Result

sys.path.append(str(Path(__file__).parents[1] / "clients" / "python" / "src"))  # it is not installed with the server

from tallystick_client import Tracker
from tallystick_client.middleware import AsgiMiddleware, WsgiMiddleware

PROMISE = 30.0
ROUNDS = 9
TEAM = "acme"
WHAT = "the promise"

Call = Callable[[], object]


class Pair(NamedTuple):
    """An application as a call of it: bare, and with the middleware."""

    name: str
    bare: Call
    recorded: Call


class Times(NamedTuple):
    """Microseconds of a call: the median, and the process's CPU time of all of them divided by their number."""

    median: float
    cpu: float


def measure(calls: int, folder: Path) -> Result:
    """Call each application so many times, in rounds, and deliver everything."""
    with Installation.fresh(folder) as installation, installation.serving() as server:
        address = "http://{}:{}".format(*server.address)
        with Tracker(address, spool=installation.folder / "spool", flush_interval=1.0) as tracker:
            loop = asyncio.new_event_loop()
            try:
                figures = [_tracked(tracker, calls)]
                for pair in _pairs(tracker, loop):
                    figures += _added(pair, calls)
            finally:
                loop.close()
            if not tracker.flush(120):
                raise Broken("the server did not take what was recorded")
            stats = tracker.stats()
    setting = f"{ROUNDS} rounds; {calls:,} calls of each application bare, and as many recorded."
    kept = f"{stats.queued:,} events were accepted, {stats.sent:,} delivered meanwhile, {stats.dropped} lost."
    return Result("client_overhead", setting, figures, [kept])


def _tracked(tracker: Tracker, calls: int) -> Figure:
    def track() -> None:
        tracker.track(TEAM, "api_call", 1, endpoint="/users/{id}", method="GET", status=200)

    rounds = [(_timed(track, calls // ROUNDS).median, PROMISE) for _ in range(ROUNDS)]
    return Figure("track() alone, p50", "µs", rounds, WHAT)


def _added(pair: Pair, calls: int) -> Iterator[Figure]:
    """The two in turns, so that whatever else happens to the machine happens to both."""
    rounds = [(_timed(pair.bare, calls // ROUNDS), _timed(pair.recorded, calls // ROUNDS)) for _ in range(ROUNDS)]
    medians = [(recorded.median - bare.median, PROMISE) for bare, recorded in rounds]
    cpu = [(recorded.cpu - bare.cpu, PROMISE) for bare, recorded in rounds]
    yield Figure(f"{pair.name}: added to a call, p50", "µs", medians, WHAT)
    yield Figure(f"{pair.name}: CPU time, delivery included", "µs", cpu, WHAT)


def _timed(call: Call, count: int) -> Times:
    times = []
    began = time.process_time_ns()
    for _ in repeat(None, count):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return Times(median(times) / 1000, (time.process_time_ns() - began) / count / 1000)


# --- Applications -----------------------------------------------------------------------------------


def _pairs(tracker: Tracker, loop: asyncio.AbstractEventLoop) -> Iterator[Pair]:
    def answered(app: Any) -> Call:
        return lambda: loop.run_until_complete(app(_scope(), _receive, _send))

    yield Pair(
        "ASGI", answered(_hello_asgi), answered(AsgiMiddleware(_hello_asgi, tracker, team=_team, endpoint=_team))
    )
    yield Pair("FastAPI", *map(answered, _fastapi(tracker)))
    wsgi = WsgiMiddleware(_hello_wsgi, tracker, team=_team, endpoint=_team)
    yield Pair("WSGI", _sent(_hello_wsgi), _sent(wsgi))
    yield Pair("Flask", *map(_sent, _flask(tracker)))
    yield Pair("Django", *map(_sent, _django(tracker)))


def _team(_call: object) -> str:
    return TEAM


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/users/7",
        "raw_path": b"/users/7",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_message: Any) -> None:
    pass


async def _hello_asgi(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def _fastapi(tracker: Tracker) -> Sequence[Any]:
    from fastapi import FastAPI  # noqa: PLC0415 - what the other benchmarks do without
    from tallystick_client.middleware.fastapi import track_calls  # noqa: PLC0415

    apps = FastAPI(), FastAPI()
    for app in apps:
        app.add_api_route("/users/{user_id}", _show)
    track_calls(apps[1], tracker, team=_team)
    return apps


async def _show(user_id: int) -> dict[str, int]:
    return {"id": user_id}


def _sent(app: Any) -> Call:
    def call() -> None:
        body = app(_environ(), _start_response)
        for _ in body:
            pass
        if hasattr(body, "close"):
            body.close()

    return call


def _environ() -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/users/7",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _start_response(_status: str, _headers: Any, _exc_info: Any = None) -> Any:
    return lambda _data: None


def _hello_wsgi(_environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


def _flask(tracker: Tracker) -> Sequence[Any]:
    from flask import Flask  # noqa: PLC0415
    from tallystick_client.middleware.flask import track_calls  # noqa: PLC0415

    apps = Flask("bare"), Flask("recorded")
    for app in apps:
        app.add_url_rule("/users/<int:user_id>", view_func=lambda user_id: {"id": user_id}, endpoint="show")
    track_calls(apps[1], tracker, team=lambda: TEAM)
    return apps


def _django(tracker: Tracker) -> Sequence[Any]:
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.core.handlers.wsgi import WSGIHandler  # noqa: PLC0415
    from django.http import HttpRequest, JsonResponse  # noqa: PLC0415
    from django.urls import path  # noqa: PLC0415

    def show(_request: HttpRequest, user_id: int) -> JsonResponse:
        return JsonResponse({"id": user_id})

    urls = type("Urls", (), {"urlpatterns": [path("users/<int:user_id>", show)]})
    settings.configure(
        ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"], MIDDLEWARE=[], TALLYSTICK={"tracker": tracker, "team": _team}
    )
    django.setup()
    bare = WSGIHandler()
    settings.MIDDLEWARE = ["tallystick_client.middleware.django.TallystickMiddleware"]
    return bare, WSGIHandler()
