"""Teams and subscriptions: through the services and over HTTP, on a real database."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.billing.teams.models import TeamChanges, Terms
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.http.principal import Scope
from tests.integration.billing_setup import calling, opened

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def held(house, team_id="acme"):
    """The team's subscriptions as (plan, start, end)."""
    found = await house.billing.teams.subscriptions(team_id, 100)
    return [(each.plan, each.starts_at, each.ends_at) for each in found]


# --- Teams -----------------------------------------------------------------------------------------


async def test_a_team_is_called_by_its_id_and_lives_in_utc_unless_it_is_said_otherwise(house):
    await house.billing.teams.create("acme")

    team = await house.billing.teams.get("acme")

    assert (team.name, team.time_zone, team.metadata) == ("acme", "UTC", {})


async def test_a_change_leaves_what_it_does_not_name(house):
    await house.billing.teams.create("acme", name="Acme", metadata={"crm": "A-17"})

    team = await house.billing.teams.update("acme", TeamChanges(time_zone="Asia/Kathmandu"))

    assert (team.name, team.time_zone, team.metadata) == ("Acme", "Asia/Kathmandu", {"crm": "A-17"})


async def test_two_teams_of_one_id_can_not_be(house):
    await house.billing.teams.create("acme")

    with pytest.raises(Conflict, match="there is a team 'acme' already"):
        await house.billing.teams.create("acme")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("id", {"team_id": "a\0b"}),
        ("id", {"team_id": "ä" * 200}),
        ("name", {"team_id": "acme", "name": "two\nlines"}),
        ("time_zone", {"team_id": "acme", "time_zone": "Mars/Olympus"}),
        ("metadata", {"team_id": "acme", "metadata": {"a": "\0"}}),
        ("metadata", {"team_id": "acme", "metadata": {"a": "x" * 17_000}}),
    ],
)
async def test_what_a_team_can_not_be_is_refused_by_field(house, field, values):
    with pytest.raises(InvalidInput) as refused:
        await house.billing.teams.create(**values)

    assert refused.value.field == field


# --- Subscriptions ---------------------------------------------------------------------------------


async def test_a_new_subscription_ends_the_one_before_at_its_start(house):
    await house.team(starts_at=MARCH)

    await house.billing.teams.subscribe("acme", Terms("yen", APRIL))

    assert await held(house) == [("standard", MARCH, APRIL), ("yen", APRIL, None)]


async def test_a_subscription_starts_now_unless_it_is_said_otherwise(house):
    await house.billing.teams.create("acme")

    subscription = await house.billing.teams.subscribe("acme", Terms("standard"))

    assert (subscription.starts_at, subscription.ends_at) == (house.clock.now(), None)
    assert subscription.currency == "USD"


async def test_one_that_would_run_into_a_later_one_is_refused(house):
    await house.team(starts_at=APRIL)

    with pytest.raises(Conflict, match=r"begins subscription \d+ to 'standard' at 2026-04-01T00:00:00Z"):
        await house.billing.teams.subscribe("acme", Terms("yen", MARCH))
    await house.billing.teams.subscribe("acme", Terms("yen", MARCH, ends_at=APRIL))

    assert await held(house) == [("yen", MARCH, APRIL), ("standard", APRIL, None)]


async def test_two_can_not_start_at_the_same_instant(house):
    await house.team(starts_at=APRIL)

    with pytest.raises(Conflict):
        await house.billing.teams.subscribe("acme", Terms("yen", APRIL))


async def test_ending_a_subscription_ends_it_now_and_once(house):
    await house.team(starts_at=MARCH)
    [subscription] = await house.billing.teams.subscriptions("acme", 10)
    now = house.clock.now()

    await house.billing.teams.end("acme", subscription.id)
    house.clock.advance(timedelta(days=1))
    await house.billing.teams.end("acme", subscription.id)

    assert await held(house) == [("standard", MARCH, now)]


async def test_one_that_has_not_begun_is_taken_back_and_the_one_before_goes_on(house):
    await house.team(starts_at=MARCH)
    await house.billing.teams.subscribe("acme", Terms("changing", MAY))
    switch = await house.billing.teams.subscribe("acme", Terms("yen", APRIL, ends_at=MAY))

    await house.billing.teams.end("acme", switch.id)

    assert await held(house) == [("standard", MARCH, MAY), ("changing", MAY, None)]


async def test_nothing_begins_in_a_period_that_is_settled(house):
    await house.team(starts_at=MARCH)
    await house.billing.statements.aggregate(["acme"])
    async with house.database.transaction() as tx:
        await tx.execute("UPDATE metered_billing_periods SET status = 'closed'")

    with pytest.raises(Conflict, match="is billed up to 2026-04-01T00:00:00Z"):
        await house.billing.teams.subscribe("acme", Terms("yen"))
    await house.billing.teams.subscribe("acme", Terms("yen", APRIL))


@pytest.mark.parametrize(
    ("field", "terms"),
    [
        ("plan", Terms("gold")),
        ("ends_at", Terms("standard", APRIL, ends_at=APRIL)),
        ("starts_at", Terms("standard", datetime(1999, 1, 1, tzinfo=UTC))),
        ("ends_at", Terms("standard", APRIL, ends_at=datetime(9999, 1, 1, tzinfo=UTC))),
    ],
)
async def test_terms_that_can_not_be_are_refused_by_field(house, field, terms):
    await house.billing.teams.create("acme")

    with pytest.raises(InvalidInput) as refused:
        await house.billing.teams.subscribe("acme", terms)

    assert refused.value.field == field


async def test_another_team_s_subscription_is_not_found(house):
    await house.team("acme")
    await house.team("globex", plan=None)
    [subscription] = await house.billing.teams.subscriptions("acme", 10)

    with pytest.raises(NotFound, match="team 'globex' has no subscription"):
        await house.billing.teams.end("globex", subscription.id)


# --- Over HTTP -------------------------------------------------------------------------------------


async def test_a_team_is_made_shown_changed_and_put_on_a_plan_over_http(house):
    async with calling(house) as client:
        made = await client.post("/api/teams", json={"id": "acme", "time_zone": "America/New_York"})
        changed = await client.patch("/api/teams/acme", json={"name": "Acme Inc."})
        shown = await client.get("/api/teams/acme")
        terms = {"plan": "standard", "starts_at": "2026-03-01T00:00:00-05:00", "anchor": "anniversary"}
        subscribed = await client.post("/api/teams/acme/subscriptions", json=terms)
        listed = await client.get("/api/teams/acme/subscriptions")
        path = f"/api/teams/acme/subscriptions/{subscribed.json()['id']}"
        ended = await client.delete(path)

    assert (made.status_code, changed.status_code, ended.status_code) == (201, 200, 204)
    assert shown.json() == changed.json()
    assert shown.json()["name"] == "Acme Inc."
    assert subscribed.status_code == 201
    assert subscribed.json() | {"id": 0, "created_at": ""} == {
        "id": 0,
        "team_id": "acme",
        "plan": "standard",
        "plan_version": 1,
        "currency": "USD",
        "period_unit": "month",
        "period_every": 1,
        "anchor": "anniversary",
        "anchored_at": "2026-03-01T05:00:00Z",
        "status": "active",
        "starts_at": "2026-03-01T05:00:00Z",
        "ends_at": None,
        "trial_ends_at": None,
        "pauses": [],
        "canceled_at": None,
        "cancel_reason": None,
        "created_at": "",
    }
    assert listed.json() == {"data": [subscribed.json()], "next_cursor": None}


async def test_teams_and_subscriptions_are_listed_page_by_page(house):
    for name in ("b", "a", "c"):
        await house.billing.teams.create(name)
    for start in (MARCH, APRIL, MAY):
        await house.billing.teams.subscribe("a", Terms("standard", start))

    async with calling(house, Scope.READ) as client:
        for path, key, expected in (
            ("/api/teams", "id", ["a", "b", "c"]),
            (
                "/api/teams/a/subscriptions",
                "starts_at",
                ["2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-05-01T00:00:00Z"],
            ),
        ):
            first = (await client.get(path, params={"limit": 2})).json()
            rest = (await client.get(path, params={"cursor": first["next_cursor"]})).json()
            assert [each[key] for each in first["data"] + rest["data"]] == expected
            assert rest["next_cursor"] is None


async def test_a_key_for_one_team_sees_that_team_alone(house):
    await house.team("acme")
    await house.team("globex")

    async with calling(house, Scope.READ, "acme") as client:
        listed = await client.get("/api/teams")
        others = [
            (await client.get(path)).status_code
            for path in ("/api/teams/globex", "/api/teams/globex/subscriptions", "/api/teams/nobody")
        ]

    assert [team["id"] for team in listed.json()["data"]] == ["acme"]
    assert others == [403, 403, 403]


async def test_changing_anything_takes_an_admin_key(house):
    await house.team("acme")

    async with calling(house, Scope.READ) as client:
        answers = [
            await client.post("/api/teams", json={"id": "x"}),
            await client.patch("/api/teams/acme", json={"name": "x"}),
            await client.post("/api/teams/acme/subscriptions", json={"plan": "yen"}),
            await client.delete("/api/teams/acme/subscriptions/1"),
            await client.post("/api/usage/aggregate", json={}),
        ]

    assert [answer.status_code for answer in answers] == [403] * 5


async def test_errors_are_problems_that_name_the_field(house):
    await house.team("acme")

    async with calling(house) as client:
        missing = await client.get("/api/teams/nobody")
        nul = await client.post("/api/usage/aggregate", json={"team_id": "a\0b"})
        plan = await client.post("/api/teams/acme/subscriptions", json={"plan": "gold"})
        naive = await client.post(
            "/api/teams/acme/subscriptions", json={"plan": "yen", "starts_at": "2026-05-01T00:00:00"}
        )

    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert nul.status_code == 404
    assert plan.status_code == 422
    assert plan.json()["field"] == "plan"
    assert plan.json()["detail"] == "there is no plan 'gold'; there are: changing, fee, standard, yen"
    assert (naive.status_code, naive.json()["field"]) == (422, "starts_at")
