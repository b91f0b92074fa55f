"""Notifications over HTTP: who may do what, and that no secret is ever answered or logged."""

import json
from dataclasses import replace

import httpx
import pytest

from tallystick.api.app import create_app
from tallystick.api.state import AppState
from tallystick.http.principal import Scope
from tests.integration.notifications.receivers import answering, receiver
from tests.integration.notifications.setup import LOOPBACK, exceeded, opened_town

BASE = "/api/notifications"


@pytest.fixture
async def town(database, clock):
    async with opened_town(database, clock) as each:
        yield each


@pytest.fixture
async def state(town, database, clock):
    async with AppState.open(LOOPBACK, database, clock) as opened:
        yield replace(opened, notifications=town.service)


@pytest.fixture
async def client(state):
    """A client with an admin key."""
    async with with_key(state, [Scope.ADMIN]) as opened:
        yield opened


def anonymous(state) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(create_app(state)), base_url="http://tallystick")


class with_key:  # noqa: N801 - reads as a statement
    """A client whose key has these scopes."""

    def __init__(self, state, scopes, team_id=None) -> None:
        self.state, self.scopes, self.team_id = state, scopes, team_id
        self.client = anonymous(state)

    async def __aenter__(self) -> httpx.AsyncClient:
        made = await self.state.keys.create("test", self.scopes, self.team_id)
        self.client.headers["Authorization"] = f"Bearer {made.token}"
        return self.client

    async def __aexit__(self, *_) -> None:
        await self.client.aclose()


async def hook_channel(client, url, **changes):
    body = {"name": "hook", "kind": "webhook", "url": url, "by_default": True, **changes}
    answer = await client.post(f"{BASE}/channels", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- Channels -------------------------------------------------------------------------------------


async def test_a_channel_is_made_shown_changed_and_removed(client):
    made = await client.post(f"{BASE}/channels", json={"name": "ops", "kind": "email", "to": ["ops@example.com"]})
    assert made.status_code == 201
    assert made.json() == {
        "name": "ops",
        "kind": "email",
        "to": ["ops@example.com"],
        "shown": None,
        "by_default": False,
        "kinds": [],
        "created_at": "2026-03-15T12:00:00Z",
        "updated_at": "2026-03-15T12:00:00Z",
        "failures": 0,
        "paused_until": None,
        "signing_secret": None,
    }
    changed = await client.patch(f"{BASE}/channels/ops", json={"to": ["a@example.com"], "by_default": True})
    assert (changed.json()["to"], changed.json()["by_default"]) == (["a@example.com"], True)
    assert (await client.get(f"{BASE}/channels/ops")).json() == changed.json()
    assert (await client.get(f"{BASE}/channels")).json() == {"data": [changed.json()], "next_cursor": None}
    assert (await client.delete(f"{BASE}/channels/ops")).status_code == 204
    assert (await client.get(f"{BASE}/channels/ops")).status_code == 404


async def test_channels_are_listed_page_by_page(client):
    for name in ("c", "a", "b"):
        await client.post(f"{BASE}/channels", json={"name": name, "kind": "email"})
    first = (await client.get(f"{BASE}/channels?limit=2")).json()
    second = (await client.get(f"{BASE}/channels", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [each["name"] for each in first["data"] + second["data"]] == ["a", "b", "c"]
    assert second["next_cursor"] is None


async def test_a_name_is_taken_once(client):
    body = {"name": "ops", "kind": "email"}
    await client.post(f"{BASE}/channels", json=body)
    again = await client.post(f"{BASE}/channels", json=body)
    assert (again.status_code, again.json()["detail"]) == (409, "there is a channel 'ops' already")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Ops", "kind": "email"}, "name"),
        ({"name": "a\u0000b", "kind": "email"}, "name"),
        ({"name": "x" * 65, "kind": "email"}, "name"),
        ({"name": "ops", "kind": "pigeon"}, "kind"),
        ({"name": "ops", "kind": "email", "url": "https://example.com"}, "url"),
        ({"name": "ops", "kind": "email", "to": ["nobody"]}, "to"),
        ({"name": "ops", "kind": "webhook"}, "url"),
        ({"name": "ops", "kind": "webhook", "url": "https://example.com", "to": ["a@b.example"]}, "to"),
        ({"name": "ops", "kind": "slack", "url": "https://169.254.169.254/"}, "url"),
        ({"name": "ops", "kind": "slack", "url": "\ud800"}, "url"),
        ({"name": "ops", "kind": "apprise", "url": "json://x\u0000"}, "url"),
        ({"name": "ops", "kind": "email", "secret": "mine"}, "secret"),
    ],
)
async def test_what_is_wrong_with_a_channel_is_named(client, body, field):
    answer = await client.post(
        f"{BASE}/channels", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["field"]) == (422, field)


async def test_a_test_message_takes_the_way_of_every_other(client, town):
    async with receiver() as hook:
        await hook_channel(client, hook.url)
        sent = await client.post(f"{BASE}/channels/hook/test")
        assert sent.status_code == 202
        await town.send()
        assert hook.requests[0].json()["type"] == "channel.test"
        assert hook.requests[0].json()["key"] == sent.json()["key"]
    assert (await client.post(f"{BASE}/channels/nobody/test")).status_code == 404


# --- Secrets --------------------------------------------------------------------------------------


async def test_secrets_are_in_no_answer_and_in_no_log(client, town, caplog, capsys):
    caplog.set_level("DEBUG")
    async with receiver() as hook:
        secret = (await hook_channel(client, hook.url))["signing_secret"]
        assert secret.startswith("whsec_")
        new = (await client.post(f"{BASE}/channels/hook/rotate-secret")).json()["signing_secret"]
        slack = {"name": "slack", "kind": "slack", "url": f"http://127.0.0.1:{hook.port}/services/T0/B0/s3cr3t"}
        other = {"name": "other", "kind": "apprise", "url": f"json://tally:s3cr3t@127.0.0.1:{hook.port}/s3cr3t"}
        answers = [await client.post(f"{BASE}/channels", json=each) for each in (slack, other)]
        caplog.clear()  # what a test client says of its own requests is not the server's
        for behaviour in (answering(500), answering(302, headers="Location: http://10.0.0.1/s3cr3t\r\n")):
            hook.behaviour = behaviour
            await town.tell(exceeded(f"key:{len(hook.requests)}", channels=("hook", "slack", "other")))
            await town.send()
    async with opened_town(town.database, town.clock, LOOPBACK.model_copy(update={"private_networks": None})) as strict:
        strict.clock.set(strict.clock.now().replace(hour=18))
        await strict.send()
    paths = ("channels", "channels/hook", "channels/slack", "channels/other", "deliveries", "deliveries/1")
    answers += [await client.get(f"{BASE}/{path}") for path in paths]
    answers.append(await client.patch(f"{BASE}/channels/hook", json={"url": "https://10.0.0.1/s3cr3t"}))
    answers.append(await client.patch(f"{BASE}/channels/hook", json={"by_default": False}))

    seen = "".join(each.text for each in answers) + caplog.text + "".join(capsys.readouterr())
    assert "127.0.0.1" in seen
    for hidden in ("s3cr3t", "services/T0", secret, secret.removeprefix("whsec_"), new):
        assert hidden not in seen


# --- Preferences ----------------------------------------------------------------------------------


async def test_preferences_are_put_and_shown(client):
    await client.post(f"{BASE}/channels", json={"name": "ops", "kind": "email"})
    wanted = {
        "channels": ["ops"],
        "emails": ["billing@acme.example"],
        "digest": "weekly",
        "digest_at": "08:30",
        "quiet_hours": {"from": "22:00", "to": "07:00"},
    }
    put = await client.put(f"{BASE}/preferences/acme", json=wanted)
    assert put.status_code == 200, put.text
    assert put.json() == wanted
    assert (await client.get(f"{BASE}/preferences/acme")).json() == wanted
    assert (await client.get(f"{BASE}/preferences/globex")).json() == {
        "channels": None,
        "emails": [],
        "digest": "off",
        "digest_at": "09:00",
        "quiet_hours": None,
    }
    assert (await client.get(f"{BASE}/preferences/nobody")).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channels": ["nowhere"]}, "channels"),
        ({"digest": "hourly"}, "digest"),
        ({"digest_at": "25:00"}, "digest_at"),
        ({"quiet_hours": {"from": "22:00"}}, "quiet_hours.to"),
        ({"quiet_hours": {"from": "22:00", "to": "22:00"}}, "quiet_hours"),
        ({"emails": ["nobody"]}, "emails"),
    ],
)
async def test_what_is_wrong_with_preferences_is_named(client, body, field):
    answer = await client.put(f"{BASE}/preferences/acme", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


# --- Deliveries -----------------------------------------------------------------------------------


async def test_deliveries_are_listed_shown_and_replayed(client, town):
    async with receiver() as hook:
        hook.behaviour = answering(410)
        await hook_channel(client, hook.url)
        await town.tell(exceeded("1"), exceeded("2", team_id="globex"))
        await town.send()

        listed = (await client.get(f"{BASE}/deliveries?state=parked&team_id=acme&channel=hook")).json()["data"]
        assert [each["notification"]["key"] for each in listed] == ["1"]
        (one,) = listed
        assert (one["attempts"], one["target"]) == (1, None)
        assert one["last_error"].endswith("answered 410")
        assert one["notification"]["content"]["title"] == "Acme: API calls passed 80 % of 1,000,000"
        assert (await client.get(f"{BASE}/deliveries/{one['id']}")).json() == one

        hook.behaviour = answering(200)
        replayed = await client.post(f"{BASE}/deliveries/{one['id']}/replay")
        assert (replayed.json()["state"], replayed.json()["replays"]) == ("pending", 1)
        assert (await client.post(f"{BASE}/deliveries/{one['id']}/replay")).status_code == 409
        await town.send()
        assert (await client.get(f"{BASE}/deliveries/{one['id']}")).json()["state"] == "sent"

    pages = [await client.get(f"{BASE}/deliveries?limit=1")]
    pages.append(await client.get(f"{BASE}/deliveries", params={"cursor": pages[0].json()["next_cursor"]}))
    assert [each["notification"]["key"] for page in pages for each in page.json()["data"]] == ["2", "1"]
    assert (await client.get(f"{BASE}/deliveries/999")).status_code == 404


# --- Who may --------------------------------------------------------------------------------------


async def test_reading_is_for_readers_and_the_rest_for_administrators(state):
    async with with_key(state, [Scope.READ]) as reader, with_key(state, [Scope.READ], "acme") as acme:
        assert (await reader.get(f"{BASE}/deliveries")).status_code == 200
        assert (await reader.get(f"{BASE}/channels")).status_code == 403
        assert (await reader.put(f"{BASE}/preferences/acme", json={})).status_code == 403
        assert (await reader.post(f"{BASE}/deliveries/1/replay")).status_code == 403
        assert (await acme.get(f"{BASE}/preferences/acme")).status_code == 200
        assert (await acme.get(f"{BASE}/preferences/globex")).status_code == 403
        assert (await acme.get(f"{BASE}/deliveries")).status_code == 403
        assert (await acme.get(f"{BASE}/deliveries/1")).status_code == 403
    async with anonymous(state) as nobody:
        assert (await nobody.get(f"{BASE}/deliveries")).status_code == 401
