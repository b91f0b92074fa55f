"""Portal tokens: made, believed, refused, revoked; and keys that change under them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest

from tallystick.core.errors import InvalidInput, NotFound, Unauthorized
from tallystick.http.principal import Mode, Scope
from tallystick.portal import service
from tallystick.portal.models import PREFIX
from tallystick.portal.service import Portal
from tests.integration.billing_setup import opened
from tests.integration.portal_setup import MINE, door, furnish


class Passing:
    """A monotonic clock that is put on by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def passing() -> Passing:
    return Passing()


@pytest.fixture
async def portal(database, clock, passing) -> Portal:
    async with opened(database, clock) as house:
        await house.team(MINE)
    return Portal(database, clock, passing)


async def test_a_token_is_believed_until_it_expires(portal, clock):
    new = await portal.create(MINE, expires_in=timedelta(minutes=5), by="key:X")
    assert new.text.startswith("tpt_")
    assert new.text not in repr(new)
    principal = await portal.verify(new.text)
    assert (principal.mode, principal.team_id, principal.scopes) == (Mode.PORTAL, MINE, {Scope.READ})
    assert principal.actor == f"portal:{new.token.id}"
    clock.advance(timedelta(minutes=5) - timedelta(microseconds=1))
    await portal.verify(new.text)
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(Unauthorized, match="expired"):
        await portal.verify(new.text)


def forged(text: str, **changes: object) -> str:
    payload, _, signature = text.removeprefix(PREFIX).partition(".")
    said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    for place, value in changes.items():
        said[int(place[1:])] = value
    changed = urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).rstrip(b"=").decode()
    return f"{PREFIX}{changed}.{signature}"


async def test_a_token_that_was_changed_is_refused(portal):
    text = (await portal.create(MINE)).text
    other = (await portal.create(MINE)).text
    assert forged(text) == text
    tried = [
        forged(text, _2="globex"),
        forged(text, _3=["read", "admin"]),
        forged(text, _4=99_999_999_999),
        forged(text, _0="NOBODYSKEY000000"),
        text[:-1],
        text + "A",
        text.partition(".")[0] + ".",
        text.partition(".")[0],
        text.partition(".")[0] + "." + other.partition(".")[2],
        "tpt_",
        "tpt_.",
        "tpt_é.é",
        "tpt_" + urlsafe_b64encode(b"[" * 1200).decode() + ".x",
        "tpt_" + urlsafe_b64encode(b"[]").decode() + ".x",
        "tpt_" + urlsafe_b64encode(b"[1]").decode() + ".x",
        "tpt_" + "A" * 100_000,
    ]
    for each in tried:
        with pytest.raises(Unauthorized):
            await portal.verify(each)
    assert (await portal.verify(text)).team_id == MINE


async def test_a_token_is_not_taken_for_a_key_nor_a_key_for_a_token(database, clock):
    async with opened(database, clock) as house:
        await furnish(house)
        async with door(house) as made:
            token = made.mine.headers["Authorization"].removeprefix("Bearer ")
            for header in ({"X-API-Key": token}, {"Authorization": f"Bearer {token}"}):
                request = made.mine.build_request("GET", "/api/session")
                del request.headers["Authorization"]
                request.headers.update(header)
                assert (await made.mine.send(request)).json()["mode"] == "portal"
            basic = await made.admin.get("/api/session", headers={"Authorization": f"Basic {token}"})
            assert basic.status_code == 401
            for wrong in (f"tpt_{made.admin.headers['Authorization'][7:]}", token.replace("tpt_", "tsk_")):
                answer = await made.admin.get("/api/session", headers={"Authorization": f"Bearer {wrong}"})
                assert answer.status_code == 401


async def test_what_is_revoked_is_refused_here_at_once_and_elsewhere_within_two_seconds(
    portal, database, clock, passing
):
    here, elsewhere = portal, Portal(database, clock, passing)
    new, other = await here.create(MINE), await here.create(MINE)
    for each in (here, elsewhere):
        await each.verify(new.text)
    await here.revoke(new.token.id)
    with pytest.raises(Unauthorized, match="revoked"):
        await here.verify(new.text)
    passing.seconds += service.REMEMBERED
    with pytest.raises(Unauthorized, match="revoked"):
        await elsewhere.verify(new.text)
    await elsewhere.verify(other.text)
    await here.revoke(new.token.id)  # again: nothing happens
    with pytest.raises(NotFound):
        await here.revoke("0" * 16)


async def test_keys_change_and_tokens_of_before_are_good_until_they_expire(portal):
    old = await portal.create(MINE)
    fresh = await portal.rotate()
    new = await portal.create(MINE)
    assert (old.token.key_id, new.token.key_id) != (new.token.key_id, old.token.key_id)
    assert new.token.key_id == fresh.id
    await portal.verify(old.text)
    await portal.verify(new.text)
    await portal.revoke_key(old.token.key_id)
    with pytest.raises(Unauthorized):
        await portal.verify(old.text)
    await portal.verify(new.text)


async def test_one_rotation_takes_every_token_back(portal):
    given = [await portal.create(MINE) for _ in range(3)]
    await portal.rotate(revoke=True)
    for each in given:
        with pytest.raises(Unauthorized):
            await portal.verify(each.text)
    await portal.verify((await portal.create(MINE)).text)


async def test_with_its_only_key_revoked_the_portal_signs_with_a_new_one(portal):
    old = await portal.create(MINE)
    await portal.revoke_key(old.token.key_id)
    new = await portal.create(MINE)
    assert new.token.key_id != old.token.key_id
    await portal.verify(new.text)


@pytest.mark.parametrize("seconds", [0, 59, 86_401, -1])
async def test_a_token_is_good_for_a_minute_to_a_day(portal, seconds):
    with pytest.raises(InvalidInput, match="expires_in"):
        await portal.create(MINE, expires_in=timedelta(seconds=seconds))


async def test_a_token_is_for_a_team_that_there_is_and_only_reads(portal):
    with pytest.raises(NotFound):
        await portal.create("nobody")
    for scopes in ([Scope.ADMIN], [Scope.READ, Scope.INGEST], []):
        with pytest.raises(InvalidInput):
            await portal.create(MINE, scopes)


async def test_the_api_gives_out_lists_and_revokes(database, clock):
    async with opened(database, clock) as house:
        await furnish(house)
        async with door(house) as made:
            new = await made.as_admin("POST", "/api/portal/tokens", team_id=MINE, scopes=["read"], expires_in=600)
            listed = (await made.as_admin("GET", f"/api/portal/tokens?team_id={MINE}"))["data"]
            assert {key: new[key] for key in new if key != "token"} in listed
            assert "token" not in listed[0]
            shown = {"Authorization": f"Bearer {new['token']}"}
            assert (await made.admin.get("/api/session", headers=shown)).json()["expires_at"] == "2026-03-15T12:10:00Z"
            await made.as_admin("DELETE", f"/api/portal/tokens/{new['id']}")
            assert (await made.admin.get("/api/session", headers=shown)).status_code == 401
            keys = (await made.as_admin("POST", "/api/portal/keys/rotate", revoke=True))["data"]
            assert [key["revoked_at"] is None for key in keys] == [True, False]
            assert (await made.mine.get("/api/session")).status_code == 401
