"""Setting Stripe up: who is which customer is planned, shown, and done once; real money is never a mistake."""

import asyncio
from typing import Any

import pytest

from tallystick.cli.app import main
from tallystick.core.clock import ManualClock
from tallystick.core.errors import ConfigurationError, InvalidInput
from tallystick.core.settings import Settings
from tallystick.integrations.billing_provider import NullProvider
from tallystick.integrations.stripe.client import open_client
from tallystick.integrations.stripe.meters.models import LatePolicy
from tallystick.integrations.stripe.provider import StripeProvider, open_provider
from tallystick.integrations.stripe.teams.models import Changes, Collection, Mode, Terms
from tallystick.integrations.stripe.teams.setup import Action, Setup, Wanted, read_mapping
from tallystick.storage.database import Database
from tests.integration.stripe_bills_setup import AFTER_MARCH, START, Till, open_till
from tests.integration.stripe_setup import CARD


@pytest.fixture
async def till(database: Database, clock: ManualClock):
    async with open_till(database, clock) as opened:
        yield opened


def setting_up(till: Till) -> Setup:
    return Setup(till.teams, till.api)


def customer(till: Till, **params: Any) -> str:
    made: str = till.api.v1.customers.create({"name": "somebody", **params}).id
    return made


async def planned(till: Till, wanted: Wanted) -> dict[str, tuple[Action, str | None]]:
    return {step.team_id: (step.action, step.customer_id) for step in await setting_up(till).plan(wanted)}


async def test_customers_name_their_team_in_metadata(till: Till) -> None:
    for team in ("acme", "beta", "gone"):
        await till.house.team(team)
    acme = customer(till, metadata={"tallystick_team": "acme"})
    for _ in range(120):  # more than a page
        customer(till)
    steps = await setting_up(till).plan(Wanted())
    assert [(step.team_id, step.action, step.customer_id) for step in steps] == [
        ("acme", Action.LINK, acme),
        ("beta", Action.MISSING, None),
        ("gone", Action.MISSING, None),
    ]
    assert await setting_up(till).apply(steps) == 1
    assert [(each.team_id, each.customer_id) for each in await till.teams.all()] == [("acme", acme)]


async def test_doing_it_again_does_nothing(till: Till) -> None:
    await till.house.team("acme")
    customer(till, metadata={"tallystick_team": "acme"})
    for expected in (1, 0):
        assert await setting_up(till).apply(await setting_up(till).plan(Wanted())) == expected


async def test_what_is_said_goes_before_metadata(till: Till) -> None:
    await till.house.team("acme")
    customer(till, metadata={"tallystick_team": "acme"})
    other = customer(till)
    assert await planned(till, Wanted(customers={"acme": other})) == {"acme": (Action.LINK, other)}


async def test_customers_are_made_where_asked_for_and_once(till: Till) -> None:
    await till.house.team("acme")
    steps = await setting_up(till).plan(Wanted(create=True))
    await setting_up(till).apply(steps)
    await setting_up(till).apply(steps)
    found = till.api.v1.customers.list({"limit": 100}).data
    assert [dict(each.metadata.to_dict()) for each in found] == [{"tallystick_team": "acme"}]


async def test_what_is_not_clear_is_left_alone(till: Till) -> None:
    for team in ("acme", "beta", "gamma", "delta"):
        await till.house.team(team)
    one = customer(till)
    customer(till, metadata={"tallystick_team": "acme"})
    customer(till, metadata={"tallystick_team": "acme"})
    deleted = customer(till)
    till.api.v1.customers.delete(deleted)
    wanted = Wanted(customers={"beta": one, "delta": one, "gamma": deleted})
    found = await planned(till, wanted)
    assert [found[team][0] for team in ("acme", "beta", "delta", "gamma")] == [
        Action.CONFLICT,
        Action.LINK,
        Action.CONFLICT,
        Action.CONFLICT,
    ]


async def test_terms_change_without_another_customer(till: Till) -> None:
    await till.customer()
    terms = Terms(Mode.METERS, LatePolicy.WRITE_OFF, Collection.SEND)
    steps = await setting_up(till).plan(Wanted(by_team={"acme": terms}))
    assert [step.action for step in steps] == [Action.CHANGE]
    await setting_up(till).apply(steps)
    [linked] = await till.teams.all()
    assert (linked.mode, linked.late_policy, linked.collection) == terms[:3]
    assert linked.billed_from == START
    assert await till.rows("SELECT active FROM stripe_metered_teams") == [(True,)]
    assert await till.rows("SELECT late_usage FROM team_late_usage") == [("ignore",)]
    await setting_up(till).apply(await setting_up(till).plan(Wanted(by_team={"acme": Terms()})))
    assert await till.rows("SELECT active FROM stripe_metered_teams") == [(False,)]
    assert await till.rows("SELECT late_usage FROM team_late_usage") == []


async def test_what_is_not_asked_for_stays_as_it_is(till: Till) -> None:
    await till.customer(mode="meters", policy="write_off")
    steps = await setting_up(till).plan(Wanted(changes=Changes(collection=Collection.SEND)))
    assert [(step.action, step.terms[:3]) for step in steps] == [
        (Action.CHANGE, (Mode.METERS, LatePolicy.WRITE_OFF, Collection.SEND))
    ]
    assert [step.action for step in await setting_up(till).plan(Wanted(changes=Changes(Mode.METERS)))] == [Action.KEEP]


async def test_a_customer_that_is_deleted_is_nobodys_and_another_can_be_made(till: Till) -> None:
    await till.house.team("acme")
    for number in range(2):
        await setting_up(till).apply(await setting_up(till).plan(Wanted(create=True)))
        [linked] = await till.teams.all()
        assert linked.gone_at is None
        assert till.api.v1.customers.list({}).data[0].id == linked.customer_id, number
        till.api.v1.customers.delete(linked.customer_id)  # and no webhook says so
        assert await planned(till, Wanted()) == {"acme": (Action.MISSING, None)}


async def test_a_team_with_other_months_than_stripes_is_warned_of(till: Till) -> None:
    await till.house.team("acme")
    await till.house.team("globex", time_zone="Europe/Berlin")
    for mode, warned in ((Mode.METERS, [False, True]), (Mode.INVOICE_ITEMS, [False, False])):
        steps = await setting_up(till).plan(Wanted(changes=Changes(mode), create=True))
        assert ["Europe/Berlin" in step.note for step in steps] == warned


async def test_a_customer_is_made_under_the_name_of_its_team(till: Till) -> None:
    await till.house.billing.teams.create("acme", name="Acme Robotics")
    await setting_up(till).apply(await setting_up(till).plan(Wanted(create=True)))
    [made] = till.api.v1.customers.list({}).data
    assert (made.name, made.metadata.to_dict()) == ("Acme Robotics", {"tallystick_team": "acme"})


async def test_a_team_that_there_is_not_is_an_error(till: Till) -> None:
    with pytest.raises(InvalidInput, match="nobody"):
        await setting_up(till).plan(Wanted(customers={"nobody": "cus_1"}))


def test_a_file_of_customers_is_read_to_the_line() -> None:
    assert read_mapping(["team,customer", "acme,cus_1", "beta, cus_2"]) == {"acme": "cus_1", "beta": "cus_2"}
    for lines in (["id,customer"], ["team,customer", "acme,"], ["team,customer", "a,cus_1", "a,cus_2"], []):
        with pytest.raises(InvalidInput):
            read_mapping(lines)


@pytest.mark.parametrize(
    ("key", "base"),
    [
        ("sk_live_1", "http://elsewhere.example"),
        ("sk_live_1", "https://elsewhere.example"),
        ("sk_test_1", "http://elsewhere.example"),
        ("", None),
    ],
)
def test_a_key_goes_to_stripe_or_to_this_machine_alone(key: str, base: str | None) -> None:
    with pytest.raises(ConfigurationError):
        open_client(Settings(stripe_api_key=key, stripe_api_base=base))


async def test_without_a_key_nobody_collects(till: Till) -> None:
    house = till.house
    provider = open_provider(Settings(), house.database, house.metering, till.clock)
    assert isinstance(provider, NullProvider)
    assert (await provider.sync(), await provider.tend()) == (type(await provider.sync())(), False)


async def test_a_provider_brings_everything_forward(till: Till) -> None:
    await till.customer(card=CARD)
    await till.house.use(25_000)
    await till.close(AFTER_MARCH)
    settings = Settings(stripe_api_key="sk_test_fake", stripe_api_base=till.fake.url)
    provider = open_provider(settings, till.house.database, till.house.metering, till.clock)
    assert isinstance(provider, StripeProvider)
    try:
        while await provider.tend():
            pass
        assert till.invoices() == [("paid", 1500)]
        assert (await provider.sync()).problems == ()
    finally:
        await provider.close()


@pytest.mark.parametrize("key", ["sk_live_veryverysecret", "rk_live_veryverysecret", "sk_org_veryverysecret"])
@pytest.mark.parametrize("command", ["setup", "meters", "sync", "reconcile", "resume"])
def test_a_key_for_real_money_has_to_be_meant(monkeypatch, capsys, database_url: str, key: str, command: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("TALLYSTICK_STRIPE_API_KEY", key)
    assert main(["stripe", command]) == 2
    said = capsys.readouterr()
    assert "--live" in said.err
    assert "veryverysecret" not in said.err + said.out


async def test_the_command_line_plans_then_applies(till: Till, monkeypatch, capsys, database_url: str) -> None:
    await till.house.team("acme")
    made = customer(till, metadata={"tallystick_team": "acme"})
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("TALLYSTICK_STRIPE_API_KEY", "sk_test_fake")
    monkeypatch.setenv("TALLYSTICK_STRIPE_API_BASE", till.fake.url)
    assert await asyncio.to_thread(main, ["stripe", "setup"]) == 0
    assert await till.teams.all() == []
    assert await asyncio.to_thread(main, ["stripe", "setup", "--late", "write_off", "--apply"]) == 0
    said = capsys.readouterr()
    assert f"acme\tlink\t{made}\tinvoice_items\twrite_off" in said.out
    assert "account acct_fake/test" in said.err
    assert "sk_test" not in said.out + said.err
    [linked] = await till.teams.all()
    assert linked.late_policy is LatePolicy.WRITE_OFF
    assert await asyncio.to_thread(main, ["stripe", "bills", "list"]) == 0
