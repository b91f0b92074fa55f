"""API keys through the whole application, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.api import app as assembly
from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.core.clock import ManualClock
from tallystick.core.errors import InvalidInput, NotFound, Unauthorized, Unavailable
from tallystick.core.settings import Settings
from tallystick.http.access import guarded, required_scopes
from tallystick.http.gate import OPEN_PATHS, SIGNED_PATHS
from tallystick.http.keys.models import write_token
from tallystick.http.keys.service import BELIEVED, MOST_REMEMBERED, PATIENCE, REMEMBERED, KeyService
from tallystick.http.principal import Scope
from tallystick.storage.database import Database

SIGNED = tuple(path.partition("{")[0] for path in SIGNED_PATHS)


class Monotonic:
    """A stopwatch that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def keys(database: Database, clock: ManualClock, monotonic: Monotonic) -> KeyService:
    return KeyService(database, clock, monotonic)


@pytest.fixture
async def state(database: Database, clock: ManualClock, keys: KeyService) -> AsyncIterator[AppState]:
    async with AppState.open(Settings(), database, clock) as opened:
        yield replace(opened, keys=keys)


@pytest.fixture
def app(state: AppState) -> FastAPI:
    return create_app(state)


@pytest.fixture
async def client(app: FastAPI, keys: KeyService) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an admin key."""
    token = (await keys.create("test", [Scope.ADMIN])).token
    async with anonymous(app) as opened:
        opened.headers["Authorization"] = f"Bearer {token}"
        yield opened


def anonymous(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tallystick")


async def add_team(database: Database, name: str) -> None:
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO teams (id, name, created_at) VALUES (%s, %s, now())", [name, name])


async def stored(database: Database) -> list[tuple]:
    async with database.snapshot() as tx:
        return await (await tx.execute("SELECT * FROM api_keys")).fetchall()


# --- Making, listing, revoking -----------------------------------------------------------------------


async def test_a_new_key_is_shown_once_and_works(app, client):
    made = await client.post("/api/keys", json={"name": "gateway", "scopes": ["read", "ingest", "read"]})
    assert made.status_code == 201
    body = made.json()
    token = body.pop("key")
    assert body == {
        "id": token.split("_")[1],
        "name": "gateway",
        "scopes": ["ingest", "read"],
        "team_id": None,
        "created_at": "2026-03-15T12:00:00Z",
        "revoked_at": None,
    }
    listed = (await client.get("/api/keys")).json()
    assert body in listed["data"]
    assert token not in str(listed)
    assert (await anonymous(app).get("/api/keys", headers={"X-API-Key": token})).status_code == 403


async def test_no_secret_is_stored(client, database):
    token = (await client.post("/api/keys", json={"name": "gateway", "scopes": ["read"]})).json()["key"]
    secret = token.split("_")[2]
    assert secret not in str(await stored(database))
    assert secret.encode().hex() not in str(await stored(database))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "   ", "scopes": ["read"]}, "name"),
        ({"name": "x" * 201, "scopes": ["read"]}, "name"),
        ({"name": "a\x00b", "scopes": ["read"]}, "name"),
        ({"name": "a\x1b[2Jb", "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["root"]}, "scopes.0"),
        ({"name": "x"}, "scopes"),
        ({"name": "x", "scopes": ["read"], "team": "acme"}, "team"),
        ({"name": "x", "scopes": ["read"], "team_id": "nobody"}, "team_id"),
        ({"name": "x", "scopes": ["read"], "team_id": "a\x00b"}, "team_id"),
        ({"name": "x", "scopes": ["admin"], "team_id": "acme"}, "scopes"),
        ({"name": "x", "scopes": ["ingest", "admin"], "team_id": "acme"}, "scopes"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused_by_field(client, database, body, field):
    await add_team(database, "acme")
    answer = await client.post("/api/keys", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert len(await stored(database)) == 1


async def test_a_key_for_one_team_carries_its_team(client, database, keys):
    await add_team(database, "acme")
    wanted = {"name": "acme's own", "scopes": ["ingest"], "team_id": "acme"}
    token = (await client.post("/api/keys", json=wanted)).json()["key"]
    assert (await keys.verify(token)).team_id == "acme"


async def test_listing_goes_on_where_the_page_before_ended(client, clock):
    names = [f"key {number}" for number in range(5)]
    for name in names:
        clock.advance(timedelta(seconds=1))
        await client.post("/api/keys", json={"name": name, "scopes": ["read"]})
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = (await client.get("/api/keys", params=query)).json()
        seen += [key["name"] for key in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == ["test", *names]


async def test_keys_of_the_same_moment_are_all_listed_once(client, keys):
    made = {(await keys.create("same", [Scope.READ])).key.id for _ in range(7)}
    seen: list[str] = []
    page = (await client.get("/api/keys", params={"limit": 1})).json()
    while page["next_cursor"]:
        seen += [key["id"] for key in page["data"]]
        page = (await client.get("/api/keys", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    seen += [key["id"] for key in page["data"]]
    assert len(seen) == len(set(seen)) == 8
    assert made < set(seen)


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=x", "cursor"), ("limt=5", "limt"), ("limit=a", "limit")],
)
async def test_a_listing_refuses_what_it_does_not_know(client, query, field):
    answer = await client.get(f"/api/keys?{query}")
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_revoked_key_is_refused_at_once_and_stays_listed(app, client, clock):
    made = (await client.post("/api/keys", json={"name": "gateway", "scopes": ["read"]})).json()
    key = {"X-API-Key": made["key"]}
    assert (await anonymous(app).get("/docs", headers=key)).status_code == 200
    clock.advance(timedelta(hours=1))
    assert (await client.delete(f"/api/keys/{made['id']}")).status_code == 204
    refused = await anonymous(app).get("/docs", headers=key)
    assert (refused.status_code, refused.json()["detail"]) == (401, f"API key {made['id']} was revoked")
    listed = (await client.get("/api/keys")).json()["data"]
    assert [each["revoked_at"] for each in listed if each["id"] == made["id"]] == ["2026-03-15T13:00:00Z"]


async def test_revoking_again_keeps_the_first_instant(keys, clock):
    made = await keys.create("gateway", [Scope.READ])
    first = (await keys.revoke(made.key.id)).revoked_at
    clock.advance(timedelta(hours=1))
    assert (await keys.revoke(made.key.id)).revoked_at == first


@pytest.mark.parametrize("key_id", ["nope", "0000000000", "%2e%2e", "ÄÄÄÄÄÄÄÄÄÄ"])
async def test_revoking_what_does_not_exist_is_404(client, key_id):
    assert (await client.delete(f"/api/keys/{key_id}")).status_code == 404


# --- Verifying ----------------------------------------------------------------------------------------


async def test_a_known_id_with_another_secret_is_refused(keys):
    made = await keys.create("gateway", [Scope.READ])
    with pytest.raises(Unauthorized, match="not known"):
        await keys.verify(write_token(made.key.id, "0" * 32))
    assert (await keys.verify(made.token)).key_id == made.key.id


async def test_a_revocation_by_another_process_is_in_force_within_two_seconds(keys, database, clock, monotonic):
    made = await keys.create("gateway", [Scope.READ])
    await keys.verify(made.token)
    await KeyService(database, clock).revoke(made.key.id)
    await keys.verify(made.token)
    monotonic.seconds += REMEMBERED
    with pytest.raises(Unauthorized, match="revoked"):
        await keys.verify(made.token)
    assert REMEMBERED <= 2


async def test_a_busy_key_is_looked_up_once(keys, monkeypatch):
    made = await keys.create("gateway", [Scope.READ])
    asked = 0
    find = keys._store.find

    async def counted(key_id: str):
        nonlocal asked
        asked += 1
        return await find(key_id)

    monkeypatch.setattr(keys._store, "find", counted)
    await asyncio.gather(*(keys.verify(made.token) for _ in range(50)))
    assert asked == 1


async def test_a_caller_that_leaves_takes_nobody_along(keys):
    made = await keys.create("gateway", [Scope.READ])
    callers = [asyncio.create_task(keys.verify(made.token)) for _ in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    principals = await asyncio.gather(*callers[1:])
    assert [each.key_id for each in principals] == [made.key.id] * 2


async def test_made_up_ids_do_not_fill_the_memory(keys, monkeypatch):
    async def nothing(key_id: str) -> None:
        return None

    monkeypatch.setattr(keys._store, "find", nothing)
    for number in range(MOST_REMEMBERED + 100):
        with pytest.raises(Unauthorized):
            await keys.verify(write_token(f"{number:010}", "0" * 32))
    assert len(keys._lookups) <= MOST_REMEMBERED


async def test_a_failed_look_up_is_not_remembered(keys, monkeypatch):
    made = await keys.create("gateway", [Scope.READ])

    async def fail(key_id: str) -> None:
        raise Unavailable("no connection")

    with monkeypatch.context() as patched:
        patched.setattr(keys._store, "find", fail)
        with pytest.raises(Unavailable):
            await keys.verify(made.token)
    await asyncio.sleep(0)
    assert (await keys.verify(made.token)).key_id == made.key.id


async def test_a_key_that_was_known_is_believed_for_a_while_when_the_database_is_away(keys, monkeypatch, monotonic):
    made = await keys.create("gateway", [Scope.READ])
    await keys.verify(made.token)

    async def fail(key_id: str) -> None:
        raise Unavailable("no connection")

    monkeypatch.setattr(keys._store, "find", fail)
    monotonic.seconds += BELIEVED - 1
    for _ in range(3):
        assert (await keys.verify(made.token)).key_id == made.key.id
    with pytest.raises(Unauthorized):
        await keys.verify(write_token(made.key.id, "0" * 32))
    monotonic.seconds += 1
    with pytest.raises(Unavailable):
        await keys.verify(made.token)


async def test_a_key_that_was_known_does_not_wait_for_ever(keys, monkeypatch, monotonic):
    made = await keys.create("gateway", [Scope.READ])
    await keys.verify(made.token)
    answered = asyncio.Event()
    find = keys._store.find

    async def slow(key_id: str):
        await answered.wait()
        return await find(key_id)

    monkeypatch.setattr(keys._store, "find", slow)
    monotonic.seconds += REMEMBERED
    waiting = asyncio.create_task(keys.verify(made.token))
    await asyncio.sleep(0)
    monotonic.seconds += PATIENCE
    assert (await keys.verify(made.token)).key_id == made.key.id
    answered.set()
    assert (await waiting).key_id == made.key.id


async def test_a_key_that_was_revoked_here_is_never_believed(keys, monkeypatch, monotonic):
    made = await keys.create("gateway", [Scope.READ])
    await keys.verify(made.token)
    await keys.revoke(made.key.id)

    async def fail(key_id: str) -> None:
        raise Unavailable("no connection")

    monkeypatch.setattr(keys._store, "find", fail)
    with pytest.raises(Unavailable):
        await keys.verify(made.token)


async def test_only_one_of_many_first_starts_makes_a_key(database, clock):
    made = await asyncio.gather(*(KeyService(database, clock).create_first() for _ in range(5)))
    assert len([new for new in made if new]) == 1
    assert len(await stored(database)) == 1


async def test_a_revoked_key_is_no_reason_for_another_first_one(keys):
    first = await keys.create_first()
    assert first is not None
    await keys.revoke(first.key.id)
    assert await keys.create_first() is None


async def test_the_service_refuses_what_the_command_line_could_send(keys):
    with pytest.raises(InvalidInput, match="there is no team 'nobody'"):
        await keys.create("gateway", [Scope.READ], "nobody")
    with pytest.raises(InvalidInput, match="a key needs a scope: ingest, read, admin"):
        await keys.create("gateway", [])
    with pytest.raises(NotFound):
        await keys.revoke("\udc80" * 10)


# --- The whole application ---------------------------------------------------------------------------


def addresses(app: FastAPI) -> list[tuple[str, str, frozenset[Scope]]]:
    """Method, path and scopes of every endpoint there is."""
    found = []
    for route in iter_route_contexts(app.routes):
        assert route.path is not None
        path = route.path.replace("{", "").replace("}", "")
        found += [(method, path, required_scopes(route)) for method in sorted(route.methods or {"GET"})]
    return found


async def test_no_endpoint_but_health_answers_without_a_key(app):
    async with anonymous(app) as client:
        for method, path, _ in addresses(app):
            answer = await client.request(method, path, json={})
            expected = 200 if path in OPEN_PATHS else 401
            if not path.startswith(SIGNED):
                assert answer.status_code == expected, (method, path)


async def test_what_stands_open_for_signed_requests_refuses_unsigned_ones(app):
    async with anonymous(app) as client:
        for path in SIGNED_PATHS:
            answer = await client.post(path.format(source="nobody"), json={"id": "evt_1"})
            assert 400 <= answer.status_code < 500 or answer.status_code == 503, (path, answer.text)


async def test_every_endpoint_refuses_a_key_without_its_scope(app, keys):
    lesser = {
        Scope.ADMIN: await keys.create("all but admin", [Scope.INGEST, Scope.READ]),
        Scope.READ: await keys.create("ingest only", [Scope.INGEST]),
        Scope.INGEST: await keys.create("read only", [Scope.READ]),
    }
    checked = 0
    async with anonymous(app) as client:
        for method, path, scopes in addresses(app):
            for scope in scopes:
                headers = {"X-API-Key": lesser[scope].token}
                answer = await client.request(method, path, json={}, headers=headers)
                assert answer.status_code == 403, (method, path, scope)
                checked += 1
    assert checked


async def test_every_endpoint_that_names_a_team_refuses_another_teams_key(app, keys, database):
    await add_team(database, "acme")
    await add_team(database, "globex")
    token = (await keys.create("acme's own", [Scope.INGEST, Scope.READ], "acme")).token
    async with anonymous(app) as client:
        for method, path, operation in documented(app):
            parameters = operation.get("parameters", [])
            if not any(each["name"] == "team_id" for each in parameters):
                continue
            values = {each["name"]: sample(each) for each in parameters if each["in"] == "query"}
            query = {name: value for name, value in values.items() if value is not None}
            filled = path.replace("{team_id}", "globex")
            answer = await client.request(method, filled, params=query, json={}, headers={"X-API-Key": token})
            assert answer.status_code == 403, (method, path, answer.text)


def documented(app: FastAPI) -> list[tuple[str, str, dict]]:
    """Method, path and operation of every endpoint in the OpenAPI document."""
    paths = app.openapi()["paths"].items()
    return [(method, path, operation) for path, each in paths for method, operation in each.items()]


def sample(parameter: dict) -> str | None:
    """A value for a parameter: the other team, an example where one is required, else none."""
    if parameter["name"] == "team_id":
        return "globex"
    examples = parameter["schema"].get("examples") or ["x"]
    return str(examples[0]) if parameter.get("required") else None


async def test_an_endpoint_that_names_no_scope_is_not_mounted(state, monkeypatch):
    forgetful = APIRouter()

    @forgetful.get("/forgetful")
    async def answer() -> str:
        return "everything"

    monkeypatch.setattr(assembly, "ROUTERS", (*assembly.ROUTERS, forgetful))
    with pytest.raises(RuntimeError, match="no scope is required at /forgetful"):
        create_app(state)


async def test_a_bare_endpoint_is_mounted_guarded_and_documented(state, monkeypatch, keys):
    operation = {
        "summary": "Count one",
        "tags": ["usage"],
        "responses": {"200": {"description": "Counted."}},
    }

    @guarded(Scope.INGEST, operation=operation)
    async def count(request: Request) -> Response:
        return Response(b"counted")

    monkeypatch.setattr(assembly, "BARE", [Route("/api/count", count, methods=["POST"])])
    with_bare = create_app(state)
    token = (await keys.create("gateway", [Scope.INGEST])).token
    async with anonymous(with_bare) as client:
        assert (await client.post("/api/count")).status_code == 401
        assert (await client.post("/api/count", headers={"X-API-Key": token})).text == "counted"
    shown = with_bare.openapi()["paths"]["/api/count"]["post"]
    assert shown["summary"] == "Count one"
    assert shown["security"] == [{"bearer": ["ingest"]}, {"header": ["ingest"]}]
    assert {"200", "400", "401", "403", "413", "422", "503"} <= set(shown["responses"])


async def test_the_openapi_document_is_complete(app):
    document = app.openapi()
    assert document["info"]["title"] == "Tallystick"
    assert {tag["name"] for tag in document["tags"]} >= {"keys", "health"}
    assert set(document["components"]["securitySchemes"]) == {"bearer", "header"}
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    for method, path, operation in documented(app):
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)
        if path not in OPEN_PATHS | SIGNED_PATHS:
            assert operation["security"], (method, path)
            problem = operation["responses"]["401"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    if isinstance(part, list):
        return [found for value in part for found in _references(value)]
    return []


async def test_readiness_says_when_the_database_is_gone(app, database):
    async with anonymous(app) as client:
        assert (await client.get("/health/ready")).json() == {"status": "ok"}
        assert (await client.head("/health/ready")).status_code == 200
        await database.close()
        answer = await client.get("/health/ready")
        assert (await client.get("/health")).json() == {"status": "ok"}
    assert answer.status_code == 503
