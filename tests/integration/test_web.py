"""The dashboard's files: open to everybody, strict towards browsers, and nothing else is to be had through them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.core.errors import ConfigurationError
from tallystick.core.settings import Settings
from tallystick.web import assets, policy

PAGE = "<!doctype html><script>document.title = 'x'</script><script type=module src=/assets/app-B2c.js></script>"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, br"}
Open = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "app-B2c.js").write_text("console.log(1);" * 1000)
    (tmp_path / ".built").write_text("digest")
    monkeypatch.setattr(assets, "load", lambda load=assets.load: load(tmp_path))
    return tmp_path


@pytest.fixture
def open_app(database, clock) -> Open:
    @asynccontextmanager
    async def opening(*, dev: bool = False, embed_origins: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        async with AppState.open(Settings(embed_origins=embed_origins), database, clock, dev=dev) as state:
            transport = httpx.ASGITransport(create_app(state))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                yield client

    return opening


async def test_every_address_of_the_dashboard_is_its_page(built, open_app):
    async with open_app() as client:
        for path in ("/", "/teams/acme", "/invoices?team=acme", "/embed/usage", "/apis"):
            answer = await client.get(path, headers=BROWSER)
            assert (answer.status_code, answer.text) == (200, PAGE), path
            assert answer.headers["Cache-Control"] == "no-cache"


async def test_a_browser_keeps_hashed_files_for_ever_and_asks_again_for_others(built, open_app):
    async with open_app() as client:
        script = await client.get("/assets/app-B2c.js", headers=BROWSER)
        assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert script.headers["Content-Encoding"] == "gzip"
        assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert script.text == "console.log(1);" * 1000
        page = await client.get("/", headers=BROWSER)
        again = await client.get("/", headers=BROWSER | {"If-None-Match": page.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        plain = await client.get("/assets/app-B2c.js", headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["Vary"] == "Accept-Encoding"


async def test_what_is_asked_of_the_api_stays_behind_its_key(built, open_app):
    async with open_app() as client:
        for path in (
            "/api",
            "/api/teams",
            "/api/nothing",
            "/docs",
            "/openapi.json",
            "/api/../api/teams",
            "/api/%2e%2e/",
        ):
            answer = await client.get(path, headers=BROWSER)
            assert answer.status_code == 401, path
        assert (await client.get("/nothing")).status_code == 401, "a program does not ask for HTML"
        assert (await client.post("/", headers=BROWSER)).status_code == 401
        assert (await client.get("/health", headers=BROWSER)).json() == {"status": "ok"}


@pytest.mark.parametrize(
    "path",
    ["/assets/../../secrets", "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f.built", "/.built", "/assets/no.js"],
)
async def test_no_path_leads_out_of_the_folder(built, open_app, path):
    async with open_app() as client:
        request = client.build_request("GET", path)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = await client.send(request)
        assert answer.status_code in (401, 404)
        assert "digest" not in answer.text


async def test_a_page_runs_no_script_but_its_own_and_shows_in_no_frame(built, open_app):
    async with open_app(embed_origins="https://app.example.com") as client:
        page = (await client.get("/", headers=BROWSER)).headers
        rules = dict(part.split(" ", 1) for part in page["Content-Security-Policy"].split("; "))
        assert rules["default-src"] == "'none'"
        [inline] = assets.inline_scripts(PAGE.encode())
        assert rules["script-src"] == f"'self' {inline}"
        assert rules["frame-ancestors"] == "'none'"
        assert not any("unsafe" in rule or "*" in rule for rule in rules.values())
        assert page["X-Frame-Options"] == "DENY"
        assert page["X-Content-Type-Options"] == "nosniff"
        for path in ("/embedded", "/teams/embed/", "/embed"):
            assert (
                "frame-ancestors 'none'" in (await client.get(path, headers=BROWSER)).headers["Content-Security-Policy"]
            )


async def test_embedded_pages_show_in_frames_of_the_sites_that_are_named_and_of_no_other(built, open_app):
    async with open_app(embed_origins="https://app.example.com, https://*.example.org") as client:
        headers = (await client.get("/embed/usage", headers=BROWSER)).headers
        assert "frame-ancestors https://app.example.com https://*.example.org" in headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in headers
    async with open_app() as client:
        headers = (await client.get("/embed/usage", headers=BROWSER)).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://a.example.org", True),
        ("https://a.b.example.org", True),
        ("https://example.org", False),
        ("https://evil-example.org", False),
        ("https://app.example.com.evil.net", False),
        ("http://app.example.com", False),
        ("https://app.example.com:8443", False),
        ("https://appXexample.com", False),
        ("null", False),
    ],
)
async def test_pages_of_the_sites_that_are_named_may_read_answers(built, open_app, origin, allowed):
    async with open_app(embed_origins="https://app.example.com https://*.example.org") as client:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        }
        preflight = await client.options("/api/usage/report", headers=asked)
        answer = await client.get("/api/usage/report", headers={"Origin": origin})
        for each in (preflight, answer):
            assert (each.headers.get("Access-Control-Allow-Origin") == origin) is allowed
            assert "Access-Control-Allow-Credentials" not in each.headers
        assert answer.status_code == 401


async def test_without_sites_nothing_is_answered_to_other_origins(built, open_app):
    async with open_app() as client:
        answer = await client.get("/api/session", headers={"Origin": "https://app.example.com"})
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_dev_mode_shows_its_page_to_this_machine_alone(built, open_app):
    async with open_app(dev=True) as client:
        assert (await client.get("/", headers=BROWSER)).status_code == 200
        assert (await client.get("/", headers=BROWSER | {"Host": "attacker.example"})).status_code == 403
        session = (await client.get("/api/session")).json()
        assert (session["mode"], session["scopes"], session["team_id"]) == ("dev", ["admin"], None)


async def test_without_a_dashboard_the_page_says_what_is_missing(open_app, monkeypatch):
    monkeypatch.setattr(assets, "load", dict)
    async with open_app() as client:
        answer = await client.get("/", headers=BROWSER)
        assert answer.status_code == 404
        assert "make web" in answer.text
        assert (await client.get("/api/session")).status_code == 401


@pytest.mark.parametrize(
    "text", ["*", "https://*", "app.example.com", "https://a.example.com/path", "javascript:x", "https://a b;"]
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(ConfigurationError, match="EMBED_ORIGINS"):
        policy.origins(text)
