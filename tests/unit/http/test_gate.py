"""The gate in front of a small application; the whole application is tested in tests/integration."""

import base64
import logging
from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tallystick.core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    StorageError,
    TooLarge,
    Unauthorized,
    Unavailable,
)
from tallystick.http.access import Reader, guarded, principal_of
from tallystick.http.body import read_body
from tallystick.http.gate import Gate
from tallystick.http.principal import Principal, Scope
from tallystick.http.problems import HANDLERS

LIMIT = 1000
KEYS = {
    "reader": Principal("READER", "reader", frozenset({Scope.READ})),
    "ingester": Principal("INGEST", "ingester", frozenset({Scope.INGEST})),
}
ERRORS = {
    "invalid": InvalidInput("no such metric", field="metric"),
    "not-found": NotFound("there is no event 7"),
    "conflict": Conflict("it is there already"),
    "too-large": TooLarge("at most 10,000 events"),
    "busy": Unavailable("too many events are waiting", retry_after=7),
    "no-database": StorageError("can't connect to PostgreSQL: host db.internal"),
    "bug": ZeroDivisionError("a secret detail"),
}


class Wanted(BaseModel):
    scope: Scope
    size: int = Field(default=1, ge=1)


async def verify(token: str) -> Principal:
    if token in KEYS:
        return KEYS[token]
    raise Unauthorized("this API key is not known")


router = APIRouter()


@router.post("/wanted")
async def want(wanted: Wanted, _: Reader) -> Wanted:
    return wanted


@router.get("/who")
async def who(principal: Reader) -> str:
    return principal.name


@router.get("/fail/{kind}")
async def fail(kind: str, _: Reader) -> None:
    raise ERRORS[kind]


@router.get("/fail-with-a-cause")
async def fail_with_a_cause(_: Reader) -> None:
    raise Unavailable("the database is not reachable: host db.internal") from psycopg.OperationalError("boom")


async def bare(request: Request) -> Response:
    return Response(principal_of(request).name)


async def length(request: Request) -> Response:
    return Response(str(len(await read_body(request, LIMIT))))


async def stream(request: Request) -> Response:
    def rows() -> Iterator[bytes]:
        yield b"the first row"
        raise ZeroDivisionError("in the middle of an answer")

    return StreamingResponse(rows())


async def leave(request: Request) -> Response:
    raise ClientDisconnect


def application(*, dev: bool = False) -> FastAPI:
    gate = Middleware(Gate, verify=verify, max_body_bytes=LIMIT, dev=dev)
    app = FastAPI(middleware=[gate], exception_handlers=dict(HANDLERS), redoc_url=None)
    for path, endpoint in {"/bare": bare, "/length": length, "/stream": stream, "/leave": leave}.items():
        app.router.routes.append(Route(path, guarded(Scope.INGEST)(endpoint), methods=["GET", "POST"]))
    app.include_router(router)

    @app.get("/health")
    async def health() -> str:
        return "ok"

    return app


def client(*, dev: bool = False, peer: str = "127.0.0.1", **options) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application(dev=dev), client=(peer, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", **options)


def reading(**options) -> httpx.AsyncClient:
    return client(headers={"Authorization": "Bearer reader"}, **options)


def ingesting(**options) -> httpx.AsyncClient:
    return client(headers={"Authorization": "Bearer ingester"}, **options)


# --- Who is let in --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/who", "/bare", "/docs", "/openapi.json", "/not/there", "/health/../who"])
async def test_nothing_answers_without_a_key(path):
    answer = await client().get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_health_answers_without_a_key():
    assert (await client().get("/health")).json() == "ok"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer reader"},
        {"Authorization": "bearer  reader"},
        {"X-API-Key": "reader"},
        {"Authorization": "Bearer reader", "X-API-Key": "nonsense"},
    ],
)
async def test_a_key_is_sent_in_either_header(headers):
    assert (await client().get("/who", headers=headers)).json() == "reader"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "no API key was sent"),
        ({"Authorization": "Bearer nonsense"}, "not known"),
        ({"Authorization": "Bearer"}, "not known"),
        ({"Authorization": ""}, "not Bearer"),
        ({"Authorization": "reader"}, "not Bearer"),
        ({"Authorization": "Basic " + base64.b64encode(b"me:reader").decode()}, "not Bearer"),
        ({"Authorization": b"Bearer \xff\xfe"}, "not known"),
        ({"X-API-Key": ""}, "not known"),
        ({"Authorization": "Bearer nonsense", "X-API-Key": "reader"}, "not known"),
    ],
)
async def test_anything_else_is_401_and_says_what_to_send(headers, detail):
    answer = await client().get("/who", headers=headers)
    assert answer.status_code == 401
    assert detail in answer.json()["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
async def test_a_browser_opens_the_documentation_with_the_key_as_password(path):
    refused = await client().get(path)
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert (await client().get(path, auth=("anyone", "reader"))).status_code == 200
    assert (await client().get(path, auth=("reader", ""))).status_code == 200
    assert (await client().get(path, auth=("anyone", "nonsense"))).status_code == 401


@pytest.mark.parametrize("credentials", ["!", "w7w=", base64.b64encode(b"\xff").decode(), ""])
async def test_unreadable_basic_credentials_are_401(credentials):
    answer = await client().get("/docs", headers={"Authorization": f"Basic {credentials}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/who", "/bare"])
async def test_a_key_without_the_scope_is_403(path):
    other = {"/who": "ingester", "/bare": "reader"}[path]
    answer = await client().get(path, headers={"X-API-Key": other})
    assert answer.status_code == 403
    assert "needs the scope" in answer.json()["detail"]


async def test_a_bare_endpoint_learns_who_asks():
    assert (await ingesting().get("/bare")).text == "ingester"


async def test_a_websocket_is_closed_without_a_key_and_passed_on_with_one():
    sent: list[str] = []
    passed: list[str] = []

    async def behind(scope, receive, send):
        passed.append(scope["tallystick.principal"].name)

    async def send(message):
        sent.append(message["type"])

    async def receive():
        raise AssertionError("nothing to read")

    gate = Gate(behind, verify, LIMIT)
    await gate({"type": "websocket", "path": "/live", "headers": []}, receive, send)
    assert (sent, passed) == (["websocket.close"], [])
    key = [(b"x-api-key", b"reader")]
    await gate({"type": "websocket", "path": "/live", "headers": key}, receive, send)
    assert passed == ["reader"]


# --- Dev mode -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "127.0.0.2"])
async def test_dev_mode_asks_this_machine_for_no_key(host, peer):
    answer = await client(dev=True, peer=peer).get("/who", headers={"Host": host})
    assert answer.json() == "dev mode"


@pytest.mark.parametrize("peer", ["192.168.1.7", "2001:db8::1", "testclient"])
async def test_dev_mode_answers_no_other_machine(peer):
    answer = await client(dev=True, peer=peer).get("/who")
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:8080", "localhost.attacker.example", "192.168.1.7", "", "[::1", "10.0.0.1"],
)
async def test_dev_mode_is_not_fooled_by_a_rebound_name(host):
    answer = await client(dev=True).get("/who", headers={"Host": host})
    assert answer.status_code == 403
    assert "Host header" in answer.json()["detail"]


@pytest.mark.parametrize("origin", ["https://attacker.example", "http://localhost.attacker.example", "null", "file://"])
async def test_dev_mode_answers_no_other_sites_page(origin):
    answer = await client(dev=True).post("/wanted", headers={"Origin": origin}, json={"scope": "read"})
    assert answer.status_code == 403
    assert "Origin" in answer.json()["detail"]


@pytest.mark.parametrize("origin", ["http://localhost:8080", "http://127.0.0.1:5173", "http://[::1]"])
async def test_dev_mode_answers_pages_of_this_machine(origin):
    answer = await client(dev=True).post("/wanted", headers={"Origin": origin}, json={"scope": "read"})
    assert answer.status_code == 200


# --- What is answered when something is wrong ------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("invalid", {"status": 422, "title": "Invalid", "detail": "no such metric", "field": "metric"}),
        ("not-found", {"status": 404, "title": "Not found", "detail": "there is no event 7"}),
        ("conflict", {"status": 409, "detail": "it is there already"}),
        ("too-large", {"status": 413, "detail": "at most 10,000 events"}),
        ("busy", {"status": 503, "detail": "too many events are waiting"}),
    ],
)
async def test_an_error_of_ours_is_a_problem(kind, expected):
    answer = await reading().get(f"/fail/{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert answer.status_code == expected["status"]
    assert body["type"] == f"urn:tallystick:error:{body['code']}"
    assert expected.items() <= body.items()


async def test_503_says_when_to_come_back():
    assert (await reading().get("/fail/busy")).headers["retry-after"] == "7"
    assert int((await reading().get("/fail/no-database")).headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["/fail/no-database", "/fail-with-a-cause"])
async def test_what_the_database_said_is_logged_and_not_answered(path, caplog):
    answer = await reading().get(path)
    assert answer.status_code == 503
    assert "db.internal" not in answer.text
    assert "db.internal" in caplog.text


async def test_the_unexpected_is_logged_under_the_id_that_is_answered(caplog):
    with caplog.at_level(logging.ERROR):
        answer = await reading().get("/fail/bug")
    body = answer.json()
    assert (answer.status_code, body["code"]) == (500, "internal")
    assert "secret detail" not in answer.text
    assert body["request_id"] in caplog.text
    assert "ZeroDivisionError: a secret detail" in caplog.text


async def test_an_answer_that_breaks_in_the_middle_is_broken_off_not_ended():
    with pytest.raises(ZeroDivisionError):
        await ingesting().get("/stream")


async def test_a_client_that_leaves_is_no_error(caplog):
    with pytest.raises(AssertionError):  # httpx: no answer was sent, as nobody was there to read it
        await ingesting().get("/leave")
    assert "failed" not in caplog.text


async def test_an_unknown_path_is_a_problem():
    answer = await reading().get("/nothing")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is nothing at /nothing; /docs lists what there is"


async def test_a_method_that_is_not_possible_is_told_with_those_that_are():
    answer = await ingesting().delete("/bare")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert answer.json()["code"] == "method_not_allowed"


async def test_values_that_do_not_fit_are_named_with_reason_and_what_is_allowed():
    answer = await reading().post("/wanted", json={"scope": "root", "size": 0})
    body = answer.json()
    assert (answer.status_code, body["code"], body["field"]) == (422, "invalid", "scope")
    assert body["detail"] == "body.scope: input should be 'ingest', 'read' or 'admin' (and 1 more)"
    assert body["errors"] == [
        {
            "location": "body.scope",
            "message": "input should be 'ingest', 'read' or 'admin'",
            "allowed": "'ingest', 'read' or 'admin'",
        },
        {"location": "body.size", "message": "input should be greater than or equal to 1"},
    ]


async def test_a_missing_value_is_said_to_be_missing():
    body = (await reading().post("/wanted", json={})).json()
    assert body["detail"] == "body.scope: is missing"


@pytest.mark.parametrize("sent", [b"{", b'{"scope": read}', b"\xff", b"[" * 900])
async def test_a_body_that_is_not_json_is_400(sent):
    answer = await reading().post("/wanted", content=sent, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
async def test_json_under_another_type_is_415_and_says_which(kind):
    answer = await reading().post("/wanted", content=b'{"scope": "read"}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/fail/a%00b", "/who?team_id=a%00b"])
async def test_a_nul_in_the_url_is_refused_before_it_reaches_the_database(path):
    answer = await reading().get(path)
    assert answer.status_code == 422
    assert "NUL" in answer.json()["detail"]


# --- How much may be sent ---------------------------------------------------------------------------


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 100


@pytest.mark.parametrize("path", ["/length", "/wanted"])
async def test_a_body_over_the_limit_is_413_however_it_is_sent(path):
    name = {"/length": "ingester", "/wanted": "reader"}[path]
    headers = {"X-API-Key": name, "Content-Type": "application/json"}
    for content in (b"x" * (LIMIT + 1), endless()):
        answer = await client().post(path, content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "TALLYSTICK_MAX_BODY_BYTES" in answer.json()["detail"]


async def test_a_body_of_the_limit_is_read():
    assert (await ingesting().post("/length", content=b"x" * LIMIT)).text == str(LIMIT)


async def test_an_encoding_that_is_not_read_is_415_and_says_which_is():
    answer = await ingesting().post("/length", content=b"x", headers={"Content-Encoding": "br"})
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip"
