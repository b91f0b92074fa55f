"""The fake Stripe takes what the API's description takes, remembers keys as Stripe does, and fails on purpose."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from tallystick.integrations.stripe.fake import ASSUMED, Assumptions, Effect, Fault, Lag, Limits, Setting
from tallystick.integrations.stripe.fake.description import stripe as description
from tallystick.integrations.stripe.fake.forms import decode
from tallystick.integrations.stripe.fake.meters import StreamBody
from tallystick.integrations.stripe.fake.schema import Violation
from tests.integration.stripe_setup import EVENTS, Shop, client, open_shop


@pytest.fixture
def shop():
    with open_shop() as opened:
        yield opened


def test_every_operation_of_the_description_can_be_read():
    for name in description().names:
        assert description().operation(name).name == name


def test_every_operation_that_is_served_is_in_the_description_with_all_its_parameters(shop):
    for name, served in shop.account.served.items():
        assert served.honours <= description().parameters(name), name


def test_every_assumption_is_on_its_page():
    page = (Path(__file__).resolve().parents[2] / "docs" / "stripe-assumptions.md").read_text()
    rows = re.findall(r"^\| A(\d\d) \| `(\w+)`", page, re.MULTILINE)
    fields = [field.name for field in fields_of(Assumptions)]
    assert [name for _, name in rows] == fields
    assert [name[1:3] for name in fields] == [number for number, _ in rows]


def test_what_forms_spell_becomes_a_tree():
    form = b"a=1&b[c]=2&b[d][e]=3&f[0][g]=4&f[1][g]=5&h[]=6&h[]=7&i="
    tree = {
        "a": "1",
        "b": {"c": "2", "d": {"e": "3"}},
        "f": {"0": {"g": "4"}, "1": {"g": "5"}},
        "h": ["6", "7"],
        "i": "",
    }
    assert decode(form) == tree


@pytest.mark.parametrize("form", ["a=1&a=2", "a=1&a[b]=2", "a[b=1", "[a]=1", "a[][b]=1", "a", "a=%ff"])
def test_a_form_that_can_be_read_in_two_ways_is_refused(form):
    with pytest.raises(Violation):
        decode(form.encode())


@pytest.mark.parametrize(
    ("path", "form", "told"),
    [
        ("billing/meter_events", "event_name=t&payload[value]=1&colour=red", "unknown parameter: colour"),
        ("billing/meter_events", "event_name=t", "Missing required param: payload"),
        ("billing/meter_events", "event_name=t&payload[value]=1&identifier=" + "i" * 101, "at most 100"),
        ("billing/meter_events", "event_name=t&payload[value]=1&timestamp=1e9", "Invalid integer"),
        ("billing/meter_events", "event_name=t&payload[value][deep]=1", "Invalid string"),
        ("billing/meters", "display_name=a&event_name=b&default_aggregation[formula]=max", "must be one of"),
        ("prices", "currency=usd&unit_amount_decimal=5E-7", "Invalid decimal"),
        ("prices", "currency=usd&unit_amount_decimal=0.1234567890123", "Invalid decimal"),
        ("prices", "currency=usd&unit_amount=1.5", "Invalid integer"),
        ("prices", "currency=USD&unit_amount=1", "Invalid currency"),
        ("prices", "currency=usd&tiers[0][up_to]=many", "up_to"),
        ("prices", "currency=usd&tiers[0][up_to]=inf&tiers[0][colour]=red", "unknown parameter: tiers[0][colour]"),
        ("invoiceitems", "customer=c&price=price_1", "unknown parameter: price"),
        ("invoices", "customer=c&auto_advance=maybe", "Invalid boolean"),
    ],
)
def test_what_the_description_does_not_have_is_refused_and_noted(shop, path, form, told):
    answer = httpx.post(f"{shop.fake.url}/v1/{path}", content=form, headers={"authorization": "Bearer sk_test_fake"})
    assert answer.status_code == 400
    assert told in answer.json()["error"]["message"]
    assert len(shop.account.violations) == 1


def test_a_decimal_that_python_writes_with_an_exponent_is_refused(shop):
    refused = shop.refusal(lambda: shop.price(unit_amount_decimal=Decimal("0.0000001")))
    assert "1E-7" in str(refused)
    assert shop.price(unit_amount_decimal=format(Decimal("0.0000001"), "f")).unit_amount_decimal == Decimal("1E-7")


def test_a_key_may_come_as_curl_sends_it(shop):
    def asked(**how: Any) -> int:
        return httpx.get(f"{shop.fake.url}/v1/customers", **how).status_code

    assert asked(auth=("sk_test_fake", "")) == 200
    wrong: list[dict[str, Any]] = [
        {"auth": ("sk_test_other", "")},
        {"headers": {"authorization": "Basic nonsense"}},
        {},
    ]
    assert [asked(**how) for how in [*wrong, {"headers": {"authorization": "sk_test_fake"}}]] == [401] * 4


def test_a_long_enumeration_is_not_listed_in_full(shop):
    params = {"url": "http://127.0.0.1:1", "enabled_events": ["invoice.*"]}
    refused = shop.refusal(lambda: shop.client.v1.webhook_endpoints.create(params))
    assert "in all" in str(refused)
    assert len(str(refused)) < 1000


def test_usage_records_are_gone(shop):
    refused = shop.refusal(lambda: shop.client.raw_request("post", "/v1/subscription_items/si_1/usage_records"))
    assert refused.http_status == 404


def test_another_key_is_refused(shop):
    other: Any = stripe.StripeClient("sk_test_other", base_addresses=shop.fake.base_addresses)
    assert isinstance(shop.refusal(lambda: other.v1.customers.create({})), stripe.AuthenticationError)


def test_what_the_fake_does_not_do_it_says(shop):
    refused = shop.refusal(lambda: shop.client.v1.test_helpers.test_clocks.create({"frozen_time": 1}))
    assert refused.http_status == 501
    refused = shop.refusal(lambda: shop.client.v1.customers.create({"tax": {"validate_location": "immediately"}}))
    assert "does not serve the parameter tax" in str(refused)
    assert len(shop.account.unserved) == 2


_TEXT = st.one_of(st.none(), st.text(max_size=3), st.integers(0, 9))
_EVENT = st.fixed_dictionaries(
    {},
    optional={
        "event_name": _TEXT,
        "payload": st.one_of(st.dictionaries(st.text(max_size=2), _TEXT, max_size=2), _TEXT),
        "identifier": _TEXT,
        "timestamp": st.sampled_from(["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.5+01:00", "soon"]),
        "colour": st.just("red"),
    },
)


@given(st.one_of(st.fixed_dictionaries({"events": st.lists(_EVENT, max_size=2)}), st.just({}), st.just({"events": 1})))
def test_the_reader_of_the_stream_takes_what_the_description_takes(body):
    def described() -> bool:
        try:
            description().operation("POST /v2/billing/meter_event_stream").read(body, "")
        except Violation:
            return False
        return True

    def read() -> bool:
        try:
            events = msgspec.json.decode(msgspec.json.encode(body), type=StreamBody).events
            return all(event.timestamp != "soon" for event in events)
        except msgspec.ValidationError:
            return False

    assert described() == read()


def outcome(call) -> int:
    try:
        call()
    except stripe.StripeError as error:
        return error.http_status or 0
    return 200


@pytest.mark.parametrize(
    ("effect", "first", "counted", "second", "counted_then"),
    [
        (Effect.UNREACHABLE, 0, 0, 200, 1),
        (Effect.HANGS, 0, 0, 200, 1),
        (Effect.RATE_LIMITED, 429, 0, 200, 1),
        (Effect.UNAVAILABLE, 503, 0, 200, 1),
        (Effect.SERVER_ERROR, 500, 0, 500, 0),
        (Effect.LOCK_TIMEOUT, 429, 0, 429, 0),
        (Effect.DONE_BUT_SERVER_ERROR, 500, 1, 500, 1),
        (Effect.LOST_ANSWER, 0, 1, 200, 1),
        (Effect.ANSWER_HANGS, 0, 1, 200, 1),
        (Effect.GARBLED, 502, 1, 200, 1),
        (Effect.SLOW, 200, 1, 200, 1),
        (Effect.COUNTED_TWICE, 200, 2, 200, 2),
        (Effect.REJECTED_LATER, 200, 0, 200, 0),
    ],
)
def test_a_fault_and_what_the_same_key_gets_next(shop, effect, first, counted, second, counted_then):
    shop.meter()
    customer = shop.customer()
    shop.account.faults.plan(Fault(effect, EVENTS))
    assert outcome(lambda: shop.send(customer, identifier="e", key="k")) == first
    assert shop.total(customer) == counted
    assert outcome(lambda: shop.send(customer, identifier="e", key="k")) == second
    assert shop.total(customer) == counted_then
    assert shop.account.faults.struck == {effect: 1}


def test_an_event_that_is_never_counted_is_accepted_and_in_no_summary(shop):
    meter = shop.meter()
    customer = shop.customer()
    shop.account.faults.plan(Fault(Effect.NEVER_COUNTED, EVENTS))
    shop.send(customer, "5")
    shop.account.advance(days=1)
    asked = {"customer": customer, "start_time": shop.now - 172800, "end_time": shop.now + 3600}
    assert shop.client.v1.billing.meters.event_summaries.list(meter.id, asked).data == []
    assert shop.total(customer) == 5


def test_another_key_gets_past_an_error_that_was_remembered(shop):
    shop.meter()
    customer = shop.customer()
    shop.account.faults.plan(Fault(Effect.SERVER_ERROR, EVENTS))
    answers = [outcome(lambda key=key: shop.send(customer, identifier="e", key=key)) for key in ("e:0", "e:0", "e:1")]
    assert answers == [500, 500, 200]
    assert [request.replayed for request in shop.account.requests][-3:] == [False, True, False]


def test_a_key_with_other_parameters_is_an_error(shop):
    shop.client.v1.customers.create({"name": "a"}, {"idempotency_key": "k"})
    refused = shop.refusal(lambda: shop.client.v1.customers.create({"name": "b"}, {"idempotency_key": "k"}))
    assert isinstance(refused, stripe.IdempotencyError)


def test_a_request_that_the_description_refuses_does_not_spend_its_key(shop):
    shop.refusal(lambda: shop.client.v1.customers.create({"colour": "red"}, {"idempotency_key": "k"}))
    assert shop.client.v1.customers.create({"name": "a"}, {"idempotency_key": "k"}).name == "a"


def test_v2_runs_what_failed_again_for_the_same_key(shop):
    shop.meter()
    customer = shop.customer()
    shop.account.faults.plan(Fault(Effect.SERVER_ERROR, "POST /v2/*"))
    event = {"event_name": "tokens", "payload": {"stripe_customer_id": customer, "value": "1"}}

    def send() -> int:
        return outcome(lambda: shop.client.v2.billing.meter_events.create(event, {"idempotency_key": "k"}))

    assert [send(), send(), send()] == [500, 200, 200]
    assert shop.total(customer) == 1


def test_v2_has_codes_where_v1_has_words(shop):
    shop.meter()
    customer = shop.customer()
    event = {"event_name": "tokens", "identifier": "i", "payload": {"stripe_customer_id": customer, "value": "1"}}
    create = shop.client.v2.billing.meter_events.create
    create(event)
    assert shop.refusal(lambda: create(event)).code == "duplicate_meter_event"
    assert shop.refusal(lambda: create({**event, "identifier": "j", "event_name": "x"})).code == "no_meter"
    wrong = {**event, "identifier": "k", "payload": {"stripe_customer_id": customer, "value": "x"}}
    assert shop.refusal(lambda: create(wrong)).code == "payload_invalid_value"


def test_a_request_under_way_answers_409_to_its_key():
    with open_shop(Setting(latency=0.3)) as shop:
        with ThreadPoolExecutor() as threads:
            answers = threads.map(
                lambda _: outcome(lambda: client(shop.fake).v1.customers.create({}, {"idempotency_key": "k"})), range(2)
            )
            assert sorted(answers) == [200, 409]
        assert len(shop.account.world.customers) == 1


def test_more_requests_than_a_second_has_are_refused_and_say_why():
    with open_shop(Setting(limits=Limits(each=3))) as shop:
        answers = [outcome(shop.customer) for _ in range(12)]
        assert set(answers) == {200, 429}
        assert "endpoint-rate" in {_reason(shop) for _ in range(12)}


def _reason(shop: Shop) -> str | None:
    try:
        shop.customer()
    except stripe.RateLimitError as error:
        return (error.headers or {}).get("stripe-rate-limited-reason")
    return None


def test_the_stream_takes_a_hundred_events_and_a_token_for_fifteen_minutes(shop):
    shop.meter()
    customer = shop.customer()
    token = shop.client.v2.billing.meter_event_session.create().authentication_token
    events = [
        {"event_name": "tokens", "identifier": f"{n}", "payload": {"stripe_customer_id": customer, "value": "0.5"}}
        for n in range(101)
    ]

    def stream(batch: list[Any]) -> int:
        send = shop.client.v2.billing.meter_event_stream.create
        return outcome(lambda: send({"events": batch}, {"api_key": token}))

    assert [stream(events), stream(events[:100])] == [400, 200]
    assert shop.account.total("tokens", customer) == 50
    shop.account.advance(minutes=15)
    with pytest.raises(stripe.TemporarySessionExpiredError):
        shop.client.v2.billing.meter_event_stream.create({"events": events[:1]}, {"api_key": token})


def test_an_event_is_counted_after_its_lag_and_not_before():
    with open_shop(Setting(lag=Lag(10, 20))) as shop:
        meter, customer = shop.meter(), shop.customer()
        shop.send(customer, "3")
        asked = {"customer": customer, "start_time": shop.now, "end_time": shop.now + 60}
        summaries = shop.client.v1.billing.meters.event_summaries
        assert summaries.list(meter.id, asked).data == []
        shop.account.advance(seconds=20)
        assert [row.aggregated_value for row in summaries.list(meter.id, asked).data] == [3]


def test_a_meter_with_a_window_counts_the_event_received_last_in_each():
    with open_shop() as shop:
        meter, customer = shop.meter(event_time_window="hour"), shop.customer()
        hour = shop.now - 7200
        for value, offset in (("5", 0), ("7", 3599), ("6", 10), ("1", 3600)):
            shop.send(customer, value, timestamp=hour + offset)
        asked = {"customer": customer, "start_time": hour, "end_time": hour + 7200}
        (row,) = shop.client.v1.billing.meters.event_summaries.list(meter.id, asked).data
        assert row.aggregated_value == 7


def test_summaries_are_paged_and_have_to_be_aligned(shop):
    meter, customer = shop.meter(), shop.customer()
    start = shop.now - 40 * 3600
    for hour in range(40):
        shop.send(customer, "1", timestamp=start + hour * 3600)
    asked = {"customer": customer, "start_time": start, "end_time": shop.now, "value_grouping_window": "hour"}
    summaries = shop.client.v1.billing.meters.event_summaries
    assert len(summaries.list(meter.id, asked).data) == 10
    assert sum(row.aggregated_value for row in summaries.list(meter.id, asked).auto_paging_iter()) == 40
    assert shop.refusal(lambda: summaries.list(meter.id, {**asked, "start_time": start + 60})).http_status == 400


def test_an_assumption_can_be_turned_round():
    setting = Setting(
        assumed=replace(ASSUMED, a01_identifier_scope="meter", a03_duplicate_message="Seen {identifier}.")
    )
    with open_shop(setting) as shop:
        customer = shop.customer()
        for name in ("a", "b"):
            shop.meter(name)
            shop.send(customer, identifier="same", name=name)
        refused = shop.refusal(lambda: shop.send(customer, identifier="same", name="a"))
        assert refused.user_message == "Seen same."


@pytest.mark.parametrize("seed", range(5))
def test_whoever_keeps_to_the_rules_counts_each_event_once_whatever_goes_wrong(seed):
    harmless = set(Effect) - {Effect.NEVER_COUNTED, Effect.COUNTED_TWICE, Effect.REJECTED_LATER}
    with open_shop(Setting(seed=seed)) as shop:
        shop.meter()
        customer = shop.customer()
        shop.account.faults.at_random(0.6, sorted(harmless), EVENTS)
        for number in range(30):
            _send_until_known(shop, customer, f"e{number}")
            assert shop.total(customer) == number + 1
        assert len(shop.account.faults.struck) > 5


def _send_until_known(shop: Shop, customer: str, identifier: str) -> None:
    attempt = 0
    while True:
        try:
            shop.send(customer, identifier=identifier, key=f"{identifier}:{attempt}")
        except stripe.InvalidRequestError as error:
            if "already exists with identifier" not in str(error):
                raise
            return
        except stripe.StripeError as error:
            attempt += "idempotent-replayed" in (error.headers or {})
        else:
            return


def test_a_run_with_the_same_seed_is_the_same_run():
    def run() -> list[int]:
        with open_shop(Setting(seed=4, lag=Lag(0, 100))) as shop:
            shop.meter()
            customer = shop.customer()
            shop.account.faults.at_random(0.5, list(Effect), EVENTS)
            return [outcome(lambda n=n: shop.send(customer, identifier=f"{n}")) for n in range(20)]

    assert run() == run()


def test_the_clock_does_what_is_due_in_order_each_at_its_own_moment(shop):
    clock, seen = shop.account.clock, []
    for after in (30, 10, 20):
        clock.at(clock.seconds + after, lambda: seen.append(clock.now()))
    shop.account.advance(seconds=25)
    assert seen == [datetime(2026, 3, 1, 0, 0, second, tzinfo=UTC) for second in (10, 20)]
    with pytest.raises(ValueError, match="can't go back"):
        shop.account.advance(seconds=-1)
