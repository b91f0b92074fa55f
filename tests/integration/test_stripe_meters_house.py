"""Stripe's meters in the house: made of the catalogue, synchronised by API and command, and shown in the report."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe._api_requestor as stripe_requestor
import stripe._encode as stripe_encode
from pydantic import SecretStr

from tallystick.billing.settlement import BillsStanding
from tallystick.cli.app import main
from tallystick.core.clock import ManualClock
from tallystick.core.settings import Settings
from tallystick.integrations.billing_provider import NullProvider
from tallystick.integrations.settlement import ProviderSettlement
from tallystick.integrations.stripe.fake import RunningFake, Setting, running
from tallystick.integrations.stripe.meters.catalogue import MeterCatalogue
from tallystick.integrations.stripe.meters.enrolment import enrol
from tallystick.integrations.stripe.provider import StripeProvider
from tallystick.storage.database import Database
from tests.integration.billing_setup import calling, opened
from tests.integration.stripe_bills_setup import Till, open_till
from tests.integration.stripe_meters_setup import Shop, open_shop
from tests.integration.stripe_setup import BAD_CARD

KEY = "sk_test_fake"


@pytest.fixture
async def shop(database: Database, clock: ManualClock):
    async with open_shop(database, clock) as opened_shop:
        yield opened_shop


@pytest.fixture
async def till(database: Database, clock: ManualClock):
    async with open_till(database, clock) as opened_till:
        yield opened_till


def catalogue(shop: Shop) -> MeterCatalogue:
    return MeterCatalogue(shop.house.database, shop.house.metering, shop.clock, shop.api)


async def test_meters_and_prices_are_made_of_the_catalogue_once(shop: Shop) -> None:
    planned = await catalogue(shop).plan()
    assert [(each.metric, each.plan, each.action) for each in planned] == [
        ("api_calls", None, "keep"),
        ("peak", None, "create"),
        ("api_calls", "changing", "create"),
        ("peak", "changing", "create"),
        ("api_calls", "fee", "refuse"),
        ("api_calls", "standard", "create"),
        ("peak", "standard", "create"),
        ("api_calls", "yen", "create"),
    ]
    assert await catalogue(shop).apply(planned) == 6
    again = await catalogue(shop).plan()
    assert {each.action for each in again} == {"keep", "refuse"}
    assert len(shop.account.world.prices) == 5


async def test_meters_that_are_there_are_adopted(shop: Shop) -> None:
    made = shop.api.client.v1.billing.meters.create(
        {
            "display_name": "Cores",
            "event_name": "peak",
            "default_aggregation": {"formula": "sum"},
            "customer_mapping": {"type": "by_id", "event_payload_key": "who"},
            "value_settings": {"event_payload_key": "cores"},
        }
    )
    planned = await catalogue(shop).plan()
    assert next((each.action, each.stripe_id) for each in planned if each.metric == "peak") == ("adopt", made.id)
    await catalogue(shop).apply(planned)
    await shop.customer()
    await shop.house.use(5, event_name="load", metadata={"ms": 1})
    await shop.sync()
    assert shop.told("peak") == 5


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"default_aggregation": {"formula": "last"}}, "takes the last"),
        ({"default_aggregation": {"formula": "sum"}, "event_time_window": "hour"}, "one event an hour"),
    ],
)
async def test_a_meter_that_can_not_be_told_differences_is_refused(shop: Shop, params: Any, why: str) -> None:
    asked: Any = {"display_name": "x", "event_name": "peak", **params}
    shop.api.client.v1.billing.meters.create(asked)
    [refused] = [each for each in await catalogue(shop).plan() if each.metric == "peak" and each.plan is None]
    assert refused.action == "refuse"
    assert why in refused.note


def settings(fake: RunningFake, **more: object) -> Settings:
    return Settings(stripe_api_key=SecretStr(KEY), stripe_api_base=fake.url, **more)  # type: ignore[arg-type]


async def test_by_api_usage_is_told_and_how_that_stands_is_in_the_report(
    database: Database, clock: ManualClock
) -> None:
    with running(Setting(at=clock.now())) as fake:
        async with opened(database, clock) as house:
            await house.team()
            provider = StripeProvider(settings(fake), database, house.metering, clock)
            parts = await provider.parts()
            making = MeterCatalogue(database, house.metering, clock, parts.api)
            await making.apply(await making.plan())
            customer = parts.api.client.v1.customers.create({"name": "Acme"})
            async with database.transaction() as tx:
                await enrol(tx, parts.account, "acme", customer.id, now=clock.now())
            await house.use(7)
            async with calling(house) as client:
                nobody = (await client.get("/api/usage/report", params={"team_id": "acme"})).json()
                assert nobody["settlement"] is None
                client._transport.app.state.settlement = ProviderSettlement(provider, database)  # type: ignore[attr-defined]
                answer = await client.post("/api/usage/aggregate", json={"team_id": "acme", "sync": True})
                told = answer.json()["sync"]
                assert (told["provider"], told["counts"]["usage accepted"]) == ("Stripe", 1)
                clock.advance(timedelta(hours=2))
                report = (await client.get("/api/usage/report", params={"team_id": "acme"})).json()
            assert report["settlement"] == {
                "provider": "Stripe", "pending": 0, "parked": 0, "accepted": 0, "confirmed": 1, "quarantined": 0,
                "late": 0, "in_doubt": 0, "oldest_seconds": None, "oldest": None, "hold": None, "bills": None,
            }  # fmt: skip
            assert fake.account.total("api_calls", customer.id) == 7
            await provider.close()


async def test_without_a_provider_a_synchronisation_does_nothing(database: Database, clock: ManualClock) -> None:
    async with opened(database, clock) as house:
        await house.team()
        async with calling(house) as client:
            answer = (await client.post("/api/usage/aggregate", json={"team_id": "acme", "sync": True})).json()
            assert answer["sync"] == {"provider": "none", "counts": {}, "problems": []}
            assert (await client.post("/api/usage/aggregate", json={"team_id": "acme"})).json()["sync"] is None


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple]:
    """Runs a command against the database; its code, output and remarks."""

    def invoke(fake: RunningFake, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("DATABASE_URL", database_url)
        monkeypatch.setenv("TALLYSTICK_STRIPE_API_KEY", KEY)
        monkeypatch.setenv("TALLYSTICK_STRIPE_API_BASE", fake.url)
        code = main(["stripe", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return invoke


def test_by_command_meters_are_made_and_nothing_is_told_without_teams(run: Callable[..., tuple]) -> None:
    with running(Setting(at=datetime.now(UTC))) as fake:
        assert run(fake, "meters")[0] == 0
        code, _, remark = run(fake, "status")
        assert (code, remark.strip()) == (0, "Stripe was given nothing yet")
        code, out, _ = run(fake, "sync")
        assert code == 0
        assert "usage booked\t0" in out
        code, out, _ = run(fake, "reconcile", "--csv")
        assert code == 0
        assert out.strip() == "team,metric,from,to,local,stripe,absolute,percent,drift,detail"
        code, _, error = run(fake, "reconcile", "--cap", "500")
        assert (code, error.strip()) == (2, "error: the cap has to be between 0 and 100 percent")
        assert KEY not in error


@pytest.fixture
def nothing_but_text(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that the SDK is given to write; it would write a Decimal as 1E-7, and a float as 1e-07."""
    written: list[Any] = []
    encode = stripe_encode._api_encode

    def watched(data: Any, *rest: Any, **more: Any) -> Any:
        written.extend(leaves(data))
        return encode(data, *rest, **more)

    for module in (stripe_requestor, stripe_encode):
        monkeypatch.setattr(module, "_api_encode", watched)
    return written


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list | tuple) else [value]


async def test_no_number_with_a_fraction_is_left_to_the_sdk_to_write(shop: Shop, nothing_but_text: list[Any]) -> None:
    await catalogue(shop).apply(await catalogue(shop).plan())
    await shop.customer()
    await shop.house.use("0.0000001")
    await shop.house.use("100000000000000", "2026-03-06T00:00:00Z")
    await shop.sync()
    assert {"0.0000001", "100000000000000"} <= set(nothing_but_text)
    assert {type(each) for each in nothing_but_text} <= {str, int, bool}


async def test_bills_are_in_the_report_and_the_status_as_well(till: Till, run: Callable[..., tuple]) -> None:
    await till.customer(card=BAD_CARD)
    await till.house.use(25_000)
    await till.close()
    await till.issue()
    found = await ProviderSettlement(NullProvider(), till.house.database).standing("acme")
    assert found is not None
    assert found.bills == BillsStanding(waiting=0, open=1, paid=0, held=0, oldest=None, hold=None)
    code, out, _ = await asyncio.to_thread(run, till.fake, "status", "--json")
    assert (code, json.loads(out)["bills_open"], json.loads(out)["pending"]) == (0, 1, 0)
