"""What opens a door is in one table of the database and nowhere else: in no answer, listing, log or other row."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr
from typer.testing import CliRunner

from tallystick.api.state import AppState
from tallystick.cli.app import app
from tallystick.core.settings import Settings
from tallystick.http.principal import Scope
from tallystick.notifications.guard import shown
from tests.integration.notifications.receivers import answering, babbling, cutting, mailbox, receiver
from tests.integration.notifications.setup import exceeded, opened_town
from tests.integration.notifications.test_notifications_api import with_key

BASE = "/api/notifications"
SECRET = "s3cr3t"
TOKEN = "123456789:AAs3cr3tAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def wanted(port):
    """A channel of every kind; what must not be seen has s3cr3t in it."""
    here = f"127.0.0.1:{port}"
    return [
        {"name": "hook", "kind": "webhook", "url": f"http://{here}/hooks/{SECRET}?token={SECRET}"},
        {"name": "slack", "kind": "slack", "url": f"http://{here}/services/T0/B0/{SECRET}"},
        {"name": "json", "kind": "apprise", "url": f"json://tally:{SECRET}@{here}/{SECRET}?+X-Key={SECRET}"},
        {"name": "telegram", "kind": "apprise", "url": f"tgram://{TOKEN}/12345678"},
        {"name": "mail", "kind": "email", "to": ["ops@example.com"]},
    ]


REFUSED: list[dict[str, Any]] = [
    {"kind": "webhook", "url": f"https://10.0.0.1/{SECRET}"},
    {"kind": "webhook", "url": f"https://u:{SECRET}@example.com/"},
    {"kind": "webhook", "url": f"hooks.slack.com/services/{SECRET}"},
    {"kind": "slack", "url": [f"https://example.com/{SECRET}"]},
    {"kind": "nonsense", "url": f"https://example.com/{SECRET}"},
    {"kind": "webhook", "url": f"https://example.com/{SECRET}" + "x" * 3000},
    {"kind": "webhook", "url": f"https://example.com/{SECRET}\n"},
    {"kind": "apprise", "url": SECRET},
    {"kind": "apprise", "url": f"hooks.slack.com/services/{SECRET}"},
    {"kind": "apprise", "url": f"nonsense://{SECRET}"},
    {"kind": "email", "url": f"https://example.com/{SECRET}"},
]


def test_a_url_is_shown_as_no_more_than_its_host():
    for url in (
        "https://u:p@h.example/path?q",
        "https://h.example?s3",
        "json://user:pass@h/x",
        "s3cr3t",
        "s3cr3t/x://y",
    ):
        assert not {"p", "path", "q", "s3", "pass", "s3cr3t", "user"} & set(shown(url).replace("/", " ").split())
    assert shown("https://u:p@h.example:8443/path") == "https://h.example:8443/…"
    assert shown("tgram://token/chat") == "tgram://…"


def everything_but_secrets(database_url):
    """Every row of every table, except of the one that holds secrets."""
    with psycopg.connect(database_url) as connection:
        names = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> 'notification_secrets'"
        ).fetchall()
        rows = [connection.execute(SQL("SELECT t::text FROM {} t").format(Identifier(name))).fetchall()
                for (name,) in names]  # fmt: skip
    return json.dumps(rows, default=str)


async def listed(client):
    """What every route that answers a GET without further ado says."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    plain = [path for path, of in paths.items() if "get" in of and "{" not in path and "stream" not in path]
    plain = [path for path in plain if path.startswith(("/api/notifications", "/api/usage/alerts", "/api/usage/thr"))]
    assert len(plain) >= 5
    params = {"team_id": "acme"}
    return "".join([(await client.get(path, params=params if "alerts" in path else {})).text for path in plain])


async def commanded(database_url, monkeypatch):
    """What the command line lists."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    said = ""
    for line in ("notifications channels", "notifications channels --json", "notifications deliveries",
                 "notifications deliveries --json", "notifications preferences acme"):  # fmt: skip
        done = await asyncio.to_thread(CliRunner().invoke, app, line.split())
        assert done.exit_code == 0, done.output
        said += done.output
    return said


async def test_secrets_of_channels_are_nowhere_but_in_their_table(database, database_url, clock, caplog, monkeypatch):
    caplog.set_level("DEBUG")
    async with receiver() as hook, mailbox(login=True) as mail:
        settings = Settings(
            private_networks="127.0.0.1", smtp_host="127.0.0.1", smtp_port=mail.port, smtp_security="none",
            smtp_username="tally", smtp_password=f"wrong-{SECRET}",
        )  # fmt: skip
        async with opened_town(database, clock, settings) as town, AppState.open(settings, database, clock) as state:
            whole = replace(state, notifications=town.service)
            async with with_key(whole, [Scope.ADMIN]) as client:
                made = [await client.post(f"{BASE}/channels", json=each) for each in wanted(hook.port)]
                assert [each.status_code for each in made] == [201] * 5
                signing = made[0].json()["signing_secret"]
                rotated = (await client.post(f"{BASE}/channels/hook/rotate-secret")).json()["signing_secret"]
                answers = [await client.post(f"{BASE}/channels", json={"name": "no", **each}) for each in REFUSED]
                assert {each.status_code for each in answers} == {422}
                caplog.clear()  # what a test client says of its own requests is not the server's

                redirect = answering(302, headers=f"Location: http://10.0.0.1/{SECRET}\r\n")
                names: tuple[str, ...] = ("hook", "slack", "mail", "json", "telegram")
                for number, behaviour in enumerate((answering(500), redirect, cutting, babbling)):
                    hook.behaviour = behaviour
                    await town.tell(exceeded(f"key:{number}", channels=names))
                    names = ("hook", "slack")  # each message by Apprise is a process of its own
                    town.clock.advance(timedelta(seconds=10 * (number == 3)))  # a channel that fails is left alone
                    await town.send()
                errors = {each.channel: each.last_error for each in await town.deliveries() if each.last_error}
                said = [each.text for each in (*made[1:], *answers)]
                said += [await listed(client), await commanded(database_url, monkeypatch), caplog.text]

    assert errors.keys() >= {"hook", "slack", "json", "telegram", "mail"}, "each of them failed"
    said.append(everything_but_secrets(database_url))
    assert "127.0.0.1" in said[-2], "the log was heard"
    for hidden in (SECRET, TOKEN, "services/T0", signing, signing.removeprefix("whsec_"), rotated):
        assert not [text[max(text.find(hidden) - 200, 0) :][:400] for text in said if hidden in text]


async def test_errors_of_the_program_itself_show_no_secrets(database, clock, caplog, monkeypatch):
    caplog.set_level("DEBUG")

    async def broken(*_):
        raise RuntimeError(f"https://example.com/{SECRET}")

    async with receiver() as hook, opened_town(database, clock) as town:
        await town.webhook(f"{hook.url}/{SECRET}")
        monkeypatch.setattr("tallystick.notifications.guard.Guard.post", broken)
        await town.tell(exceeded())
        await town.send()
        assert (await town.one()).last_error == "sending failed unexpectedly: RuntimeError"
        channel = await town.service.channel("hook")
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text + repr(channel) + repr(settings_with_password())


def settings_with_password() -> Settings:
    return Settings(smtp_password=SecretStr(SECRET))


async def test_the_documentation_of_the_api_has_urls_written_and_never_read(database, clock):
    async with AppState.open(Settings(), database, clock) as state, with_key(state, [Scope.ADMIN]) as client:
        schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    assert schemas["ChannelRequest"]["properties"]["url"]["writeOnly"]
    assert "url" not in schemas["ChannelAnswer"]["properties"]
