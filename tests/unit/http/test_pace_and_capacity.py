"""The gate bounds how long a request takes, how slowly its body comes, and how much is under way at once."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tallystick.http import pace
from tallystick.http.access import Reader, guarded
from tallystick.http.body import read_body
from tallystick.http.capacity import Capacity
from tallystick.http.gate import Gate
from tallystick.http.pace import Unhurried, Watch
from tallystick.http.principal import Principal, Scope
from tallystick.http.problems import HANDLERS

KIB = 1024


class Note(BaseModel):
    text: str


class Doors:
    """Endpoints that wait until they are let go on."""

    def __init__(self, capacity: Capacity, seconds: float) -> None:
        self.go_on = asyncio.Event()
        self.entered = asyncio.Semaphore(0)
        gate = Middleware(Gate, verify=self._verify, max_body_bytes=KIB * KIB, capacity=capacity, watch=Watch(seconds))
        self.app = FastAPI(middleware=[gate], exception_handlers=dict(HANDLERS))
        for path, endpoint in {"/wait": self._wait, "/length": self._length, "/stream": self._stream}.items():
            self.app.router.routes.append(Route(path, guarded(Scope.READ)(endpoint), methods=["GET", "POST"]))

        @self.app.post("/note")
        async def note(sent: Note, _: Reader) -> str:
            return sent.text

        @self.app.get("/unhurried", dependencies=[Unhurried])
        async def unhurried(_: Reader) -> str:
            await asyncio.sleep(seconds * 3)
            return "done"

        @self.app.get("/health")
        async def health() -> str:
            return "ok"

    async def _verify(self, token: str) -> Principal:
        return Principal(token, token, frozenset(Scope))

    async def _wait(self, request: Request) -> Response:
        held = len(await read_body(request, KIB * KIB))
        self.entered.release()
        await self.go_on.wait()
        return Response(str(held))

    async def _length(self, request: Request) -> Response:
        return Response(str(len(await read_body(request, KIB * KIB))))

    async def _stream(self, _: Request) -> Response:
        async def rows() -> AsyncIterator[bytes]:
            yield b"the first row, "
            await self.go_on.wait()
            yield b"the last row"

        return StreamingResponse(rows())

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": "Bearer k"}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


def doors(*, requests: int = 100, body_bytes: int = KIB * KIB, seconds: float = 30.0) -> Doors:
    return Doors(Capacity(requests=requests, body_bytes=body_bytes), seconds)


async def under_way(doors: Doors, client: httpx.AsyncClient, number: int, body: bytes = b"") -> list[asyncio.Task]:
    tasks = [asyncio.create_task(client.post("/wait", content=body)) for _ in range(number)]
    for _ in range(number):
        await doors.entered.acquire()
    return tasks


# --- How much at once -------------------------------------------------------------------------------


async def test_one_request_too_many_is_refused_at_once_and_told_when_to_come_back():
    house = doors(requests=3)
    async with house.client() as client:
        waiting = await under_way(house, client, 3)
        refused = await client.get("/length")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["code"] == "unavailable"
        assert (await client.get("/health")).status_code == 200
        house.go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 3
        assert (await client.get("/length")).status_code == 200


@pytest.mark.parametrize("send", [{"content": b"x" * 5 * KIB}, {"content": gzip.compress(b"x" * 5 * KIB)}])
async def test_bodies_that_are_held_at_once_are_bounded_as_sent_and_decompressed(send: dict):
    house = doors(body_bytes=10 * KIB)
    headers = {"Content-Encoding": "gzip"} if send["content"][:1] == b"\x1f" else {}
    async with house.client() as client:
        waiting = await under_way(house, client, 1, b"x" * 6 * KIB)
        refused = await client.post("/length", headers=headers, **send)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        house.go_on.set()
        await asyncio.gather(*waiting)
        assert (await client.post("/length", headers=headers, **send)).text == str(5 * KIB)


async def test_a_body_too_much_is_the_same_503_for_an_endpoint_of_the_framework():
    house = doors(body_bytes=10 * KIB)
    async with house.client() as client:
        waiting = await under_way(house, client, 1, b"x" * 9 * KIB)
        refused = await client.post("/note", json={"text": "x" * 2 * KIB})
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        house.go_on.set()
        await asyncio.gather(*waiting)


async def test_the_only_request_gets_in_whatever_its_size():
    async with doors(body_bytes=KIB).client() as client:
        assert (await client.post("/length", content=b"x" * 100 * KIB)).text == str(100 * KIB)


async def test_what_a_request_held_is_given_back_however_it_ended():
    capacity = Capacity()
    house = Doors(capacity, 30)
    async with house.client() as client:
        for path in ("/length", "/note", "/nowhere"):
            await client.post(path, content=b"x" * KIB)
        waiting = await under_way(house, client, 2, b"x" * KIB)
        assert (capacity.requests, capacity.bytes) == (2, 2 * KIB)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert (capacity.requests, capacity.bytes) == (0, 0)


# --- How long ---------------------------------------------------------------------------------------


async def test_a_request_that_is_not_answered_in_time_gets_503_and_ends():
    house = doors(seconds=0.1)
    async with house.client() as client:
        late = await client.get("/wait")
        assert (late.status_code, late.headers["retry-after"]) == (503, "5")
        assert "within 0.1 s" in late.json()["detail"]


async def test_an_answer_that_has_begun_may_take_its_time():
    house = doors(seconds=1)
    asyncio.get_running_loop().call_later(1.5, house.go_on.set)
    async with house.client() as client:
        assert (await client.get("/stream")).text == "the first row, the last row"


async def test_work_on_all_of_the_books_may_take_its_time():
    async with doors(seconds=0.5).client() as client:
        assert (await client.get("/unhurried")).json() == "done"


def chunks(*pauses: float) -> Callable[[], AsyncIterator[bytes]]:
    async def body() -> AsyncIterator[bytes]:
        for pause in pauses:
            await asyncio.sleep(pause)
            yield b"x" * 100

    return body


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(pace, "BODY_BYTES_PER_SECOND", 1000)


@pytest.mark.parametrize("path", ["/length", "/note"])
async def test_a_body_that_trickles_in_gets_408_and_the_connection_is_closed(hurried: None, path: str):
    async with doors().client() as client:
        late = await client.post(path, content=chunks(0, *[0.5] * 20)())
        assert (late.status_code, late.headers["connection"]) == (408, "close")
        assert late.json()["code"] == "too_slow"


async def test_a_large_body_at_a_fair_pace_may_take_longer_than_a_request():
    async with doors(seconds=1).client() as client:
        answer = await client.post("/length", content=chunks(*[0.1] * 15)())
        assert (answer.status_code, answer.text) == (200, "1500")


async def test_a_server_that_stops_answers_what_it_could_not_finish():
    house = doors()
    messages: list[dict] = []

    async def send(message: dict) -> None:
        messages.append(message)

    async def receive() -> dict:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": "/wait", "raw_path": b"/wait", "query_string": b"",
        "headers": [(b"authorization", b"Bearer k")], "root_path": "", "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    call: Callable[..., Awaitable[None]] = house.app
    task = asyncio.ensure_future(call(scope, receive, send))
    await house.entered.acquire()
    task.cancel()
    await task
    assert messages[0]["status"] == 503
