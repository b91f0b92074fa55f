"""Calls are recorded with their team, endpoint template, method, status and duration: in every framework."""

import asyncio
import os
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from textwrap import dedent
from typing import Any

import flask
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from werkzeug.test import Client

from tallystick_client import RecordingTracker, Tracker
from tallystick_client.middleware import AsgiMiddleware, WsgiMiddleware
from tallystick_client.middleware.fastapi import track_calls as track_fastapi
from tallystick_client.middleware.flask import track_calls as track_flask


@pytest.fixture
def tracker() -> RecordingTracker:
    return RecordingTracker()


def calls(tracker: RecordingTracker) -> list[tuple[str, str, str, int]]:
    """What was recorded: team, endpoint, method, status."""
    found = []
    for event in tracker.events:
        facts = event["metadata"]
        assert (event["event_name"], event["quantity"]) == ("api_call", "1")
        assert set(facts) == {"endpoint", "method", "status", "duration_ms"}
        assert Decimal(facts["duration_ms"]) >= 0
        found.append((event["team_id"], facts["endpoint"], facts["method"], facts["status"]))
    return found


async def request(app: Any, *paths: str, method: str = "GET", **headers: str) -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in paths:
            await client.request(method, path, headers={"x-team": "acme", **headers})


def broken(*_: Any) -> str | None:
    raise ZeroDivisionError


def team_of_scope(scope: Any) -> str | None:
    return next((value.decode() for name, value in scope["headers"] if name == b"x-team"), None)


# --- ASGI -------------------------------------------------------------------------------------------


async def hello(request: Any) -> PlainTextResponse:
    if request.path_params.get("id") == 500:
        raise RuntimeError
    return PlainTextResponse("hello", 201)


STARLETTE = Starlette(
    routes=[
        Route("/", hello),
        Route("/users/{id:int}", hello, methods=["GET", "DELETE"]),
        Route("/files/{path:path}", hello),
        Mount("/shops/{shop}", routes=[Route("/orders/{id:int}", hello)]),
    ]
)


@pytest.mark.parametrize(
    ("path", "endpoint", "status"),
    [
        ("/", "/", 201),
        ("/users/7", "/users/{id}", 201),
        ("/users/007", "/users/{id}", 201),
        ("/users/500", "/users/{id}", 500),
        ("/files/a/b.txt", "/files/{path}", 201),
        ("/shops/berlin/orders/3", "/shops/{shop}/orders/{id}", 201),
        ("/shops/berlin/orders/03", "/shops/{shop}/orders/{id}", 201),
        ("/nowhere", "(unmatched)", 404),
        ("/shops/berlin/nowhere", "/shops/{shop}", 404),
    ],
)
async def test_an_asgi_call_has_the_template_of_its_route(tracker, path, endpoint, status):
    await request(AsgiMiddleware(STARLETTE, tracker, team=team_of_scope), path)
    assert calls(tracker) == [("acme", endpoint, "GET", status)]


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/", "/"),
        ("/users/007", "/users/{id}"),
        ("/files/a/b/", "/files/{path}"),
        ("/shops/berlin/orders/03", "/shops/{shop}/orders/{id}"),
        ("/nowhere", "(unmatched)"),
        ("/shops/berlin/nowhere", "(unmatched)"),
    ],
)
async def test_a_starlette_that_does_not_name_the_route_is_asked_for_it(tracker, path, endpoint):
    """As all before 1.0, such as the last one for Python 3.9."""

    async def older(scope: Any, receive: Any, send: Any) -> None:
        try:
            await STARLETTE(scope, receive, send)
        finally:
            scope.pop("route", None)

    await request(AsgiMiddleware(older, tracker, team=team_of_scope), path)
    assert [recorded for _, recorded, _, _ in calls(tracker)] == [endpoint]


async def test_a_method_that_is_not_allowed_is_recorded_too(tracker):
    await request(AsgiMiddleware(STARLETTE, tracker, team=team_of_scope), "/users/7", method="PUT")
    assert calls(tracker) == [("acme", "/users/{id}", "PUT", 405)]


async def test_a_call_of_nobody_is_not_recorded(tracker):
    await request(AsgiMiddleware(STARLETTE, tracker, team=lambda _: None), "/")
    assert tracker.events == []


async def test_duration_goes_to_the_end_of_the_stream(tracker):
    async def parts():
        for _ in range(3):
            await asyncio.sleep(0.02)
            yield b"x"

    app = Starlette(routes=[Route("/", lambda _: StreamingResponse(parts()))])
    await request(AsgiMiddleware(app, tracker, team=team_of_scope), "/")
    assert Decimal(tracker.events[0]["metadata"]["duration_ms"]) >= 60


async def test_a_call_whose_client_left_is_recorded_as_such(tracker):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(10)

    scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"x-team", b"acme")]}
    serving = asyncio.create_task(AsgiMiddleware(app, tracker, team=team_of_scope)(scope, None, None))  # type: ignore[arg-type]
    await asyncio.sleep(0.01)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert calls(tracker) == [("acme", "(unmatched)", "GET", 499)]


async def test_other_things_than_calls_pass_through(tracker):
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    middleware = AsgiMiddleware(app, tracker, team=team_of_scope)
    for kind in ("lifespan", "websocket"):
        await middleware({"type": kind}, None, None)  # type: ignore[arg-type]
    assert (seen, tracker.events) == (["lifespan", "websocket"], [])


async def test_a_call_does_not_fail_because_it_can_not_be_recorded(tracker, caplog):
    answers = []

    async def check(app: Any) -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            answers.append((await client.get("/")).status_code)

    await check(AsgiMiddleware(STARLETTE, tracker, team=broken))
    await check(AsgiMiddleware(STARLETTE, tracker, team=lambda _: ""))
    await check(AsgiMiddleware(STARLETTE, tracker, team=lambda _: "acme", endpoint=broken))
    assert answers == [201] * 3
    assert caplog.text.count("a call was not recorded") == 3


# --- FastAPI ----------------------------------------------------------------------------------------


def fastapi_app(tracker: Any) -> FastAPI:
    app = FastAPI()
    users = APIRouter(prefix="/users")

    @users.get("/{user_id}")
    def show(user_id: int, request: Request) -> int:
        request.state.team = "from-dependency"
        if user_id == 500:
            raise RuntimeError
        return user_id

    v1 = APIRouter(prefix="/v1/{tenant}")
    v1.include_router(users)
    app.include_router(v1)
    app.mount("/sub", STARLETTE)
    track_fastapi(app, tracker, team=lambda request: getattr(request.state, "team", request.headers.get("x-team")))
    return app


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v1/acme/users/7", ("from-dependency", "/v1/{tenant}/users/{user_id}", "GET", 200)),
        ("/v1/users/users/x", ("acme", "/v1/{tenant}/users/{user_id}", "GET", 422)),
        ("/v1/acme/users/500", ("from-dependency", "/v1/{tenant}/users/{user_id}", "GET", 500)),
        ("/sub/users/7", ("acme", "/sub/users/{id}", "GET", 201)),
        ("/nowhere", ("acme", "(unmatched)", "GET", 404)),
    ],
)
async def test_fastapi_calls_have_prefixes_and_what_dependencies_found_out(tracker, path, call):
    await request(fastapi_app(tracker), path)
    assert calls(tracker) == [call]


# --- WSGI and Flask ---------------------------------------------------------------------------------


def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/fail":
        raise RuntimeError
    start_response("202 Accepted", [])
    environ["tallystick.endpoint"] = "/things/{id}"
    return [b"hello"]


def team_of_environ(environ: Any) -> str | None:
    return environ.get("HTTP_X_TEAM")  # type: ignore[no-any-return]


def test_a_wsgi_call_is_recorded_once_when_its_response_was_sent(tracker):
    client = Client(WsgiMiddleware(wsgi_app, tracker, team=team_of_environ))
    client.post("/things/5", headers={"x-team": "acme"}).close()
    with pytest.raises(RuntimeError):
        client.get("/fail", headers={"x-team": "acme"})
    client.get("/things/5").close()
    assert calls(tracker) == [("acme", "/things/{id}", "POST", 202), ("acme", "(unmatched)", "GET", 500)]


def flask_app(tracker: Any) -> flask.Flask:
    app = flask.Flask("shop")

    @app.before_request
    def authenticate() -> None:
        flask.g.team = flask.request.headers.get("x-team")

    @app.route("/orders/<int:order>", methods=["GET", "POST"])
    def order(order: int) -> Any:
        if order == 500:
            raise RuntimeError
        return flask.Response((b"x" for _ in range(3)), 201)

    track_flask(app, tracker, team=lambda: flask.g.get("team"))
    return app


def test_flask_calls_have_their_rule_and_what_the_context_knows(tracker):
    client = flask_app(tracker).test_client()
    for path in ("/orders/7", "/orders/500", "/nowhere"):
        client.get(path, headers={"x-team": "acme"}).close()
    client.post("/orders/7", headers={"x-team": "globex"}).close()
    client.get("/orders/7").close()
    assert calls(tracker) == [
        ("acme", "/orders/<int:order>", "GET", 201),
        ("acme", "/orders/<int:order>", "GET", 500),
        ("acme", "(unmatched)", "GET", 404),
        ("globex", "/orders/<int:order>", "POST", 201),
    ]


def test_flask_calls_do_not_fail_with_a_team_function(tracker, caplog):
    app = flask.Flask("shop")
    app.add_url_rule("/", view_func=lambda: "hello")
    track_flask(app, tracker, team=broken)
    assert app.test_client().get("/").status_code == 200
    assert "a call was not recorded" in caplog.text


# --- Django, whose settings are one per process -----------------------------------------------------

DJANGO = """
    import asyncio, json, logging
    import django
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse
    from django.test import AsyncClient, Client
    from django.urls import include, path
    from tallystick_client import RecordingTracker

    tracker = RecordingTracker()

    def show(request, number):
        request.team = "from-view"
        if number == 500:
            raise RuntimeError
        return HttpResponse("hello", status=201)

    async def show_async(request, shop, number):
        return HttpResponse("hello")

    urlpatterns = [path("users/<int:number>/", show), path("shops/<slug:shop>/", include([
        path("orders/<int:number>/", show_async)]))]
    settings.configure(
        ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x", USE_TZ=True,
        MIDDLEWARE=["tallystick_client.middleware.django.TallystickMiddleware"],
        TALLYSTICK={
            "tracker": lambda: tracker,
            "team": lambda request: getattr(request, "team", None) or request.headers.get("x-team"),
        },
    )
    django.setup()
    logging.disable()
    paths = ["/users/7/", "/users/500/", "/shops/berlin/orders/3/", "/nowhere/"]
    client = Client(raise_request_exception=False, headers={"x-team": "acme"})
    for each in paths:
        client.get(each)
    Client().get("/nowhere/")

    async def main():
        client = AsyncClient(raise_request_exception=False)
        for each in paths:
            await client.get(each, headers={"x-team": "acme"})

    asyncio.run(main())
    for event in tracker.events:
        facts = event["metadata"]
        print(event["team_id"], facts["endpoint"], facts["method"], facts["status"], float(facts["duration_ms"]) >= 0)
"""


def test_django_calls_are_recorded_synchronous_or_not():
    source = Path(__file__).parents[1] / "src"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(DJANGO)],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    once = [
        "from-view /users/<int:number>/ GET 201 True",
        "from-view /users/<int:number>/ GET 500 True",
        "acme /shops/<slug:shop>/orders/<int:number>/ GET 200 True",
        "acme (unmatched) GET 404 True",
    ]
    assert done.stdout.splitlines() == once + once


# --- What it costs ----------------------------------------------------------------------------------


async def test_a_call_is_recorded_in_microseconds(spool):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    async def send(_message: Any) -> None:
        pass

    async def took(served: Any) -> float:
        times = []
        for _ in range(3000):
            scope = {"type": "http", "path": "/", "method": "GET", "headers": [(b"x-team", b"acme")]}
            started = time.perf_counter_ns()
            await served(scope, None, send)
            times.append(time.perf_counter_ns() - started)
        return median(times) / 1000

    with Tracker("http://127.0.0.1:9", spool=spool, flush_interval=60, exit_timeout=0) as tracker:
        added = await took(AsgiMiddleware(app, tracker, team=team_of_scope)) - await took(app)
    print(f"the middleware adds {added:.1f} µs to a call")
    assert added < 300  # far above what a quiet machine needs, so that a busy one does not fail it
