"""Exchange rates in the database: uploaded tables, what was known when, the API and the command line."""

import asyncio
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tallystick.billing.currencies.models import NoExchangeRate, Pair, quotient
from tallystick.billing.currencies.service import Currencies
from tallystick.billing.currencies.store import rates_for
from tallystick.cli.app import main
from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, round_money
from tallystick.http.principal import Scope
from tests.integration.billing_setup import calling, opened

TABLE = "date,base,quote,rate\n2026-03-13,USD,EUR,0.9\n2026-03-12,USD,EUR,0.91\n2026-03-13,USD,CHF,0.85\n"
USD_EUR = Pair("USD", "EUR")
THIRTEENTH = date(2026, 3, 13)


@pytest.fixture
def currencies(database, clock):
    return Currencies(database, clock)


async def rate(currencies, pair, day=THIRTEENTH, known_at=None):
    async with currencies.database.snapshot() as tx:
        rates = await rates_for(tx, [pair], [day], known_at=known_at)
    return rates.rate(pair.base, pair.quote, day)


# --- Uploaded tables -------------------------------------------------------------------------------


async def test_an_uploaded_table_answers_for_its_pairs_and_the_bank_for_the_rest(currencies):
    assert (await rate(currencies, USD_EUR)).source == "ecb"

    await currencies.upload(TABLE, "treasury")

    found = await rate(currencies, USD_EUR)
    assert (found.value, found.day, found.source) == (Decimal("0.9"), THIRTEENTH, "treasury")
    assert (await rate(currencies, Pair("EUR", "USD"))).value == Decimal("1.111111111111111111111111111")
    assert (await rate(currencies, Pair("GBP", "JPY"))).source == "ecb"
    assert (await rate(currencies, Pair("GBP", "USD"))).source == "ecb, treasury"


async def test_uploading_a_table_again_changes_nothing(currencies):
    first = await currencies.upload(TABLE, "treasury")
    again = await currencies.upload(TABLE, "treasury")

    assert (first.rates, first.added, first.replaced) == (3, 3, 0)
    assert (again.rates, again.added, again.replaced) == (3, 0, 0)


async def test_another_rate_for_the_same_day_replaces_the_first_in_either_direction(currencies):
    await currencies.upload(TABLE, "treasury")

    done = await currencies.upload("date,base,quote,rate\n2026-03-13,EUR,USD,2\n2026-03-14,USD,EUR,0.8\n", "treasury")

    assert (done.added, done.replaced) == (1, 1)
    assert (await rate(currencies, USD_EUR)).value == Decimal("0.5")


async def test_what_was_known_at_an_instant_stays_known(currencies, clock):
    await currencies.upload(TABLE, "treasury")
    before = clock.now()
    clock.advance(timedelta(hours=1))
    await currencies.upload("date,base,quote,rate\n2026-03-13,USD,EUR,0.7\n", "treasury")

    assert (await rate(currencies, USD_EUR)).value == Decimal("0.7")
    assert (await rate(currencies, USD_EUR, known_at=before)).value == Decimal("0.9")
    assert (await rate(currencies, USD_EUR, known_at=before - timedelta(seconds=1))).source == "ecb"


async def test_a_table_that_stopped_is_an_error_long_after_its_last_day(currencies):
    await currencies.upload(TABLE, "treasury")
    day = THIRTEENTH + timedelta(days=8)

    with pytest.raises(NoExchangeRate, match="no exchange rate USD/EUR for 2026-03-21: the uploaded table"):
        await rate(currencies, USD_EUR, day)
    assert (await rate(currencies, USD_EUR, day - timedelta(days=1))).day == THIRTEENTH


async def test_newer_rates_of_the_bank_are_added_to_its_history(currencies):
    day = date(2050, 6, 1)
    table = f"Date,USD,JPY,\n{day},1.25,150,\n2026-03-13,{(await rate(currencies, Pair('EUR', 'USD'))).value},N/A,\n"

    done = await currencies.upload(table, "ecb")

    assert (done.rates, done.added) == (3, 2)  # what the installed history says already is not kept again
    found = await rate(currencies, Pair("USD", "JPY"), day)
    assert (found.value, found.source) == (Decimal(120), "ecb")
    assert (await rate(currencies, Pair("GBP", "EUR"))).source == "ecb"


async def test_of_a_table_with_a_bad_line_nothing_is_kept(currencies):
    with pytest.raises(InvalidInput, match="line 5"):
        await currencies.upload(TABLE + "2026-03-11,USD,EUR,x\n", "treasury")
    assert (await rate(currencies, USD_EUR)).source == "ecb"


async def test_two_uploads_at_once_leave_one_rate_a_day(currencies):
    tables = [f"date,base,quote,rate\n2026-03-13,USD,EUR,0.{number}\n" for number in range(1, 9)]

    await asyncio.gather(*(currencies.upload(table, f"t{place}") for place, table in enumerate(tables)))

    async with currencies.database.snapshot() as tx:
        rows = await (
            await tx.execute("SELECT superseded_at IS NULL, count(*) FROM exchange_rates GROUP BY 1")
        ).fetchall()
    assert dict(rows) == {True: 1, False: 7}


async def test_many_pairs_and_days_cost_two_statements(currencies):
    await currencies.upload(TABLE, "treasury")
    pairs = [("USD", "EUR"), ("USD", "CHF"), ("CHF", "JPY"), ("EUR", "EUR")]
    days = [THIRTEENTH - timedelta(days=number) for number in range(400)]

    async with currencies.database.snapshot() as tx:
        rates = await rates_for(tx, pairs, days)

    assert rates.rate("USD", "CHF", THIRTEENTH).source == "treasury"
    assert rates.rate("USD", "CHF", date(2026, 3, 12)).source == "treasury, ecb"  # the pair itself begins a day later
    assert rates.rate("USD", "EUR", date(2026, 3, 12)).value == Decimal("0.91")
    assert all(rates.find("CHF", "JPY", day) for day in days)


# --- API -------------------------------------------------------------------------------------------


@pytest.fixture
async def house(database, clock):
    async with opened(database, clock) as each:
        yield each


async def test_a_table_is_uploaded_and_used_over_http(house):
    async with calling(house) as client:
        uploaded = await client.put("/api/currencies/tables/treasury", content=TABLE)
        query = {"base": "USD", "quote": "EUR", "from": "2026-03-13", "to": "2026-03-14"}
        rates = await client.get("/api/currencies/rates", params=query)
        query = {"base": "USD", "quote": "EUR", "amount": "100.05", "on": "2026-03-14"}
        converted = await client.get("/api/currencies/convert", params=query)
        sources = await client.get("/api/currencies")

    assert uploaded.json() == {"table": "treasury", "rates": 3, "added": 3, "replaced": 0}
    day = {"rate": "0.9", "rate_date": "2026-03-13", "source": "treasury"}
    assert rates.json() == {
        "base": "USD",
        "quote": "EUR",
        "data": [{"day": "2026-03-13", **day}, {"day": "2026-03-14", **day}],
    }
    assert converted.json() == {
        "original": "100.05",
        "original_currency": "USD",
        "converted": "90.05",
        "currency": "EUR",
        **day,
    }
    held = {(each["source"], each["base"], each["quote"]): each for each in sources.json()["data"]}
    assert held["treasury", "USD", "EUR"]["first"] == "2026-03-12"
    assert held["ecb", "EUR", "USD"]["first"] == "1999-01-04"


async def test_a_day_without_a_rate_is_null_in_a_list_and_a_conflict_in_a_conversion(house):
    query = {"base": "USD", "quote": "EUR"}
    async with calling(house) as client:
        listed = await client.get("/api/currencies/rates", params={**query, "from": "1998-01-01"})
        refused = await client.get("/api/currencies/convert", params={**query, "amount": "1", "on": "1998-01-01"})

    assert listed.json()["data"] == [{"day": "1998-01-01", "rate": None, "rate_date": None, "source": None}]
    assert (refused.status_code, refused.json()["code"]) == (409, "no_exchange_rate")


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("rates", {"base": "USD", "quote": "XXX"}, "quote"),
        ("rates", {"base": "USD", "quote": "USD"}, "quote"),
        ("rates", {"base": "USD", "quote": "EUR", "from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ("convert", {"base": "USD", "quote": "EUR", "amount": "1e400"}, "amount"),
        ("convert", {"base": "USD", "quote": "EUR", "amount": "a lot"}, "amount"),
    ],
)
async def test_what_can_not_be_looked_up_is_refused_by_field(house, path, query, field):
    async with calling(house, Scope.READ) as client:
        refused = await client.get(f"/api/currencies/{path}", params=query)
    assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_uploading_takes_an_admin_key_and_text(house):
    async with calling(house, Scope.READ) as client:
        forbidden = await client.put("/api/currencies/tables/treasury", content=TABLE)
    async with calling(house) as client:
        binary = await client.put("/api/currencies/tables/treasury", content=b"\xff\xfe")
        name = await client.put("/api/currencies/tables/contract", content=TABLE)

    assert forbidden.status_code == 403
    assert (binary.status_code, binary.json()["field"]) == (422, "rates")
    assert (name.status_code, name.json()["field"]) == (422, "name")


# --- Command line ----------------------------------------------------------------------------------


def test_rates_are_uploaded_shown_and_used_from_the_command_line(database_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "treasury.csv").write_text(TABLE)

    assert main(["currencies", "upload", str(tmp_path / "treasury.csv")]) == 0
    assert capsys.readouterr().out == "treasury: 3 rates added, 0 replaced, 0 were there already\n"

    assert main(["currencies", "rates", "USD/EUR", "--from", "2026-03-12", "--to", "2026-03-13"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "day\trate\tof\tsource",
        "2026-03-12\t0.91\t2026-03-12\ttreasury",
        "2026-03-13\t0.9\t2026-03-13\ttreasury",
    ]

    assert main(["currencies", "convert", "100.05", "USD", "EUR", "--on", "2026-03-14"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "90.05 EUR\n"
    assert shown.err == "1 USD = 0.9 EUR, treasury of 2026-03-13\n"

    assert main(["currencies", "rates", "--json"]) == 0
    held = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"source": "treasury", "pair": "USD/CHF", "first": "2026-03-13", "last": "2026-03-13", "days": 1} in held


def test_a_table_that_does_not_fit_is_one_line_on_the_command_line(database_url, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "bad.csv").write_text("date,base,quote,rate\n2026-03-13,USD,EUR,-1\n")

    assert main(["currencies", "upload", str(tmp_path / "bad.csv")]) == 2
    assert capsys.readouterr().err.startswith("error: line 2: a rate must be above 0")


# --- On the bill -----------------------------------------------------------------------------------

ABROAD = """
version: 1
currency: USD
metrics:
  calls: {event: call, aggregation: sum, unit: call, dimensions: [region]}
  seats: {event: seats, aggregation: max, unit: seat}
plans:
  world:
    prices:
      - {metric: calls, model: per_unit, unit_price: 0.0125}
      - {metric: seats, model: per_unit, unit_price: 9.99}
teams:
  at_home: {plan: world, start: 2026-02-01}
  tokyo: {plan: world, start: 2026-02-01, currency: JPY}
  pinned: {plan: world, start: 2026-02-01, currency: EUR, exchange_rate: {EUR/USD: 1.25}}
"""


async def abroad(house, *teams):
    """The teams above, each with usage in February."""
    await house.apply(ABROAD)
    for team_id in teams:
        await house.use(1001, "2026-02-10T00:00:00Z", team_id=team_id, event_name="call")
        await house.use(3, "2026-02-11T00:00:00Z", team_id=team_id, event_name="seats")


async def closed(house):
    """The closed statements by team."""
    done = await house.billing.closing.run()
    found = [await house.billing.statements.closed(id) for id in done.statements]
    return {each.period.team_id: each for each in found}, done.failures


async def test_every_line_is_converted_and_the_total_is_the_sum_of_the_converted_lines(house):
    await abroad(house, "tokyo", "at_home")

    statements, failures = await closed(house)

    assert failures == ()
    # 28 February 2026 was a Saturday. On Friday the 27th a euro was 1.1805 USD and 184.13 JPY
    rate = quotient(Decimal("184.13"), Decimal("1.1805"))
    tokyo = statements["tokyo"]
    assert [(line.name, line.total, line.converted_total) for line in tokyo.lines] == [
        ("calls", Decimal("12.51"), round_money(EXACT.multiply(Decimal("12.51"), rate), "JPY")),
        ("seats", Decimal("29.97"), round_money(EXACT.multiply(Decimal("29.97"), rate), "JPY")),
    ]
    assert {(line.exchange_rate, line.rate_date, line.rate_source) for line in tokyo.lines} == {
        (rate, date(2026, 2, 27), "ecb")
    }
    assert tokyo.period.currency == "JPY"
    assert tokyo.period.total == sum(line.converted_total for line in tokyo.lines)
    assert statements["at_home"].period.currency == "USD"
    assert {line.exchange_rate for line in statements["at_home"].lines} == {None}


async def test_a_rate_pinned_by_contract_is_used_whatever_the_day(house):
    await abroad(house, "pinned")

    statements, _ = await closed(house)

    line = next(line for line in statements["pinned"].lines if line.name == "calls")
    assert (line.total, line.exchange_rate, line.converted_total) == (
        Decimal("12.51"),
        Decimal("0.8"),
        Decimal("10.01"),
    )
    assert line.rate_source == "contract"


async def test_a_bill_without_a_rate_waits_and_spoils_nobody_else_s(house):
    await Currencies(house.database, house.clock).upload("date,base,quote,rate\n2026-02-01,USD,JPY,150\n", "treasury")
    await abroad(house, "tokyo", "at_home")

    statements, [failure] = await closed(house)

    assert "tokyo" not in statements
    assert "at_home" in statements
    assert failure.team_id == "tokyo"
    assert "no exchange rate USD/JPY for 2026-02-28: the uploaded table" in failure.message

    await Currencies(house.database, house.clock).upload("date,base,quote,rate\n2026-02-27,USD,JPY,150\n", "treasury")
    statements, failures = await closed(house)

    assert failures == ()
    assert statements["tokyo"].period.total == 1877 + 4496  # 12.51 × 150 = 1,876.5, 29.97 × 150 = 4,495.5


async def test_what_is_uploaded_later_changes_no_closed_statement(house):
    await abroad(house, "tokyo")
    before, _ = await closed(house)

    house.clock.advance(timedelta(hours=1))
    await Currencies(house.database, house.clock).upload("date,base,quote,rate\n2026-02-27,USD,JPY,1\n", "treasury")
    await house.billing.closing.run()

    after = await house.billing.statements.closed(before["tokyo"].period.id)
    assert after == before["tokyo"]
    assert (await house.billing.verifications.verify(after.period.id)).agrees
