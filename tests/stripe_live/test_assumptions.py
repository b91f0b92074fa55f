"""The numbered assumptions of docs/stripe-assumptions.md, one test each. See conftest for whom they ask."""

import dataclasses
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from stripe import StripeError

from tallystick.integrations.stripe.fake import Assumptions, Effect, Fault, Limits, Setting, running

DAY = 86_400
HOUR = 3_600
CARD = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}


def test_each_assumption_has_its_test():
    numbers = {field.name[:3] for field in dataclasses.fields(Assumptions)}
    tested = {found[1] for name in dir(sys.modules[__name__]) if (found := re.match(r"test_(a\d\d)_", name))}
    assert numbers == tested


def test_a01_an_identifier_is_unique_in_the_account(account):
    customer, identifier = account.customer().id, account.new_name()
    account.send(account.meter(), customer, identifier=identifier)
    other = account.meter()
    assert identifier in str(account.refusal(lambda: account.send(other, customer, identifier=identifier)))


def test_a02_an_identifier_is_known_for_a_day_and_counts_twice_after_it(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.send(meter, customer, identifier=identifier)
    account.later(DAY - 60)
    account.refusal(lambda: account.send(meter, customer, identifier=identifier))
    account.later(60)
    account.send(meter, customer, identifier=identifier)
    assert account.fake.account.total(meter.event_name, customer) == 2


def test_a03_a_repeat_is_a_400_without_a_code(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.send(meter, customer, identifier=identifier)
    refused = account.refusal(lambda: account.send(meter, customer, identifier=identifier))
    assert (refused.http_status, refused.code) == (400, None)
    assert refused.user_message == f"An event already exists with identifier {identifier}."


def test_a04_the_stream_drops_repeats_in_silence(account):
    fake = account.only_in_the_fake("the stream takes live keys alone")
    meter, customer = account.meter(), account.customer().id
    session = account.client.v2.billing.meter_event_session.create()
    event = {
        "event_name": meter.event_name,
        "identifier": "one",
        "payload": {"stripe_customer_id": customer, "value": "1"},
    }
    account.client.v2.billing.meter_event_stream.create(
        {"events": [event, event]}, {"api_key": session.authentication_token}
    )
    account.later(60)
    assert fake.account.total(meter.event_name, customer) == 1
    assert list(account.client.v2.core.events.list({"object_id": meter.id}).auto_paging_iter()) == []


def test_a05_an_event_that_was_refused_leaves_its_identifier_free(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.refusal(lambda: account.send(meter, customer, identifier=identifier, timestamp=account.now - 40 * DAY))
    assert account.send(meter, customer, identifier=identifier).identifier == identifier


def test_a06_an_event_that_was_rejected_later_has_spent_its_identifier(account):
    meter, identifier = account.meter(), account.new_name()
    account.send(meter, "cus_unknown", identifier=identifier)
    customer = account.customer().id
    assert identifier in str(account.refusal(lambda: account.send(meter, customer, identifier=identifier)))


def test_a07_a_timestamp_may_be_35_days_old(account):
    meter, customer = account.meter(), account.customer().id
    account.send(meter, customer, timestamp=account.now - 35 * DAY + 30)
    refused = account.refusal(lambda: account.send(meter, customer, timestamp=account.now - 35 * DAY - 30))
    assert "cannot be more than 35 days in past" in str(refused)


def test_a08_a_timestamp_may_be_five_minutes_ahead(account):
    meter, customer = account.meter(), account.customer().id
    account.send(meter, customer, timestamp=account.now + 270)
    assert account.refusal(lambda: account.send(meter, customer, timestamp=account.now + 330)).http_status == 400


@pytest.mark.parametrize("what", ["archived", "value", "no customer", "digits", "no meter"])
def test_a09_v1_refuses_at_once_what_is_wrong_with_the_event_itself(account, what):
    meter, customer = account.meter(), account.customer().id
    payload = {"stripe_customer_id": customer, "value": {"value": "many", "digits": "1234567890.123456"}.get(what, "1")}
    if what == "archived":
        account.client.v1.billing.meters.deactivate(meter.id)
    if what == "no customer":
        del payload["stripe_customer_id"]
    name = account.new_name() if what == "no meter" else meter.event_name
    event = {"event_name": name, "payload": payload}
    assert account.refusal(lambda: account.client.v1.billing.meter_events.create(event)).http_status == 400


def test_a09_an_unknown_customer_is_found_out_later(account):
    assert account.send(account.meter(), "cus_unknown").object == "billing.meter_event"


def test_a10_zeros_at_the_end_are_significant_digits(account):
    meter, customer = account.meter(), account.customer().id
    account.send(meter, customer, "1" + "0" * 14)
    assert account.refusal(lambda: account.send(meter, customer, "1" + "0" * 15)).http_status == 400


def test_a11_a_value_has_no_exponent(account):
    meter, customer = account.meter(), account.customer().id
    assert account.refusal(lambda: account.send(meter, customer, "1E+2")).http_status == 400


def test_a12_a_sum_is_made_of_doubles(account):
    meter, customer = account.meter(), account.customer().id
    for _ in range(10):
        account.send(meter, customer, "0.1")
    assert account.eventually(lambda: (account.sum_of_today(meter, customer) or 0) > 0.95)
    assert account.sum_of_today(meter, customer) == sum([0.1] * 10) != 1


def test_a13_an_event_at_the_end_of_an_interval_is_outside_of_it(account):
    meter, customer = account.meter(), account.customer().id
    end = account.now // HOUR * HOUR - HOUR
    account.send(meter, customer, timestamp=end - 1)
    account.send(meter, customer, timestamp=end)
    assert account.eventually(lambda: account.summaries(meter, customer, end, end + 60))
    (row,) = account.eventually(lambda: account.summaries(meter, customer, end - 60, end))
    assert row.aggregated_value == 1


def test_a14_a_window_without_events_has_no_row(account):
    meter, customer = account.meter(), account.customer().id
    hour = account.now // HOUR * HOUR - HOUR
    assert account.summaries(meter, customer, hour, hour + HOUR) == []
    account.send(meter, customer, timestamp=hour)
    rows = account.eventually(
        lambda: account.summaries(meter, customer, hour - 5 * HOUR, hour + HOUR, value_grouping_window="hour")
    )
    assert [row.start_time for row in rows] == [hour]


def test_a15_the_newest_window_comes_first(account):
    meter, customer = account.meter(), account.customer().id
    hour = account.now // HOUR * HOUR - 3 * HOUR
    for back in range(3):
        account.send(meter, customer, timestamp=hour - back * HOUR)

    def rows():
        found = account.summaries(meter, customer, hour - 2 * HOUR, hour + HOUR, value_grouping_window="hour")
        return found if len(found) == 3 else None

    assert [row.start_time for row in account.eventually(rows)] == [hour, hour - HOUR, hour - 2 * HOUR]


def test_a16_an_event_is_counted_within_five_minutes(account):
    meter, customer = account.meter(), account.customer().id
    account.send(meter, customer, "7")
    assert account.eventually(lambda: account.sum_of_today(meter, customer), within=300) == 7


def test_a17_a_cancelled_event_has_spent_its_identifier(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.send(meter, customer, identifier=identifier)
    account.cancel(meter, identifier)
    assert identifier in str(account.refusal(lambda: account.send(meter, customer, identifier=identifier)))


def test_a18_a_cancelled_event_can_not_be_cancelled_again(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.send(meter, customer, identifier=identifier)
    account.cancel(meter, identifier)
    assert account.refusal(lambda: account.cancel(meter, identifier)).http_status == 400


def test_a19_of_two_events_at_once_the_one_received_last_is_the_last(account):
    meter, customer = account.meter("last"), account.customer().id
    for value in ("5", "3"):
        account.send(meter, customer, value, timestamp=account.now // 60 * 60)
    account.eventually(lambda: account.sum_of_today(meter, customer) == 3)
    assert account.sum_of_today(meter, customer) == 3


def test_a20_a_deactivated_meter_keeps_its_event_name(account):
    meter = account.meter()
    account.client.v1.billing.meters.deactivate(meter.id)
    again = {
        "display_name": "again",
        "event_name": meter.event_name,
        "default_aggregation": {"formula": "sum"},
    }
    assert account.refusal(lambda: account.client.v1.billing.meters.create(again)).http_status == 400


def test_a21_a_second_call_at_once_is_refused_and_its_key_remembers_it(account):
    account.only_in_the_fake("two calls can't be made to overlap for certain")
    with running(Setting(latency=0.2, limits=Limits(one_per_lane=True))) as fake:
        slow = type(account)(type(account.client)("sk_test_fake", base_addresses=fake.base_addresses), fake)
        meter, customer = slow.meter(), slow.customer().id

        def send(key: str) -> int:
            try:
                slow.send(meter, customer, key=key, identifier=key)
            except StripeError as error:
                return error.http_status or 0
            return 200

        with ThreadPoolExecutor() as threads:
            answers = dict(zip("ab", threads.map(send, "ab"), strict=True))
        assert sorted(answers.values()) == [200, 429]
        refused = next(key for key, status in answers.items() if status == 429)
        assert send(refused) == 429
        assert fake.account.requests[-1].replayed


def test_a22_half_a_cent_is_rounded_away_from_zero(account):
    customer = account.customer().id
    amounts = [
        account.client.v1.invoice_items.create({
            "customer": customer, "currency": "usd", "quantity": 1, "unit_amount_decimal": unit,
        }).amount
        for unit in ("0.5", "2.5", "-2.5", "2.4")
    ]  # fmt: skip
    assert amounts == [1, 3, -3, 2]


def metered_price(account, meter, **pricing):
    return account.client.v1.prices.create({
        "currency": "usd", "product_data": {"name": "Usage"},
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter.id}, **pricing,
    })  # fmt: skip


def subscription(account, price, customer):
    return account.client.v1.subscriptions.create({"customer": customer, "items": [{"price": price.id}]})


def invoices(account, customer):
    return list(account.client.v1.invoices.list({"customer": customer}).auto_paging_iter())


def test_a23_each_tier_is_a_line_and_is_rounded_for_itself(account):
    meter, customer = account.meter(), account.customer(**CARD).id
    tiers = [{"up_to": 10, "unit_amount_decimal": "0.15"}, {"up_to": "inf", "unit_amount_decimal": "0.15"}]
    price = metered_price(account, meter, billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    subscribed = subscription(account, price, customer)
    account.send(meter, customer, "20")
    assert account.eventually(lambda: account.sum_of_today(meter, customer)) == 20
    account.client.v1.subscriptions.cancel(subscribed.id, {"invoice_now": True})
    (invoice,) = invoices(account, customer)
    assert [(line.quantity, line.amount) for line in invoice.lines.data] == [(10, 2), (10, 2)]


def test_a24_an_idempotency_key_is_known_for_a_day(account):
    key = account.new_name()
    first = account.client.v1.customers.create({"name": "Key"}, {"idempotency_key": key})
    account.later(DAY - 60)
    assert account.client.v1.customers.create({"name": "Key"}, {"idempotency_key": key}).id == first.id
    account.later(60)
    assert account.client.v1.customers.create({"name": "Key"}, {"idempotency_key": key}).id != first.id


def test_a25_a_repeat_that_was_refused_is_refused_by_its_key_again(account):
    meter, customer, identifier = account.meter(), account.customer().id, account.new_name()
    account.send(meter, customer, identifier=identifier)
    key = account.new_name()
    account.refusal(lambda: account.send(meter, customer, identifier=identifier, key=key))
    refused = account.refusal(lambda: account.send(meter, customer, identifier=identifier, key=key))
    assert refused.headers["idempotent-replayed"] == "true"


def draft(account, customer, lines):
    invoice = account.client.v1.invoices.create({"customer": customer, "auto_advance": False})
    return account.client.v1.invoices.add_lines(invoice.id, {"lines": lines})


def test_a26_an_invoice_lists_its_lines_as_they_were_added(account):
    lines = [{"amount": amount, "description": f"{amount}"} for amount in range(100, 112)]
    invoice = draft(account, account.customer().id, lines)
    listed = account.client.v1.invoices.line_items.list(invoice.id, {"limit": 100})
    assert [line.amount for line in listed.data] == list(range(100, 112))


def test_a27_the_metadata_of_an_added_line_is_that_of_its_item(account):
    customer = account.customer().id
    draft(account, customer, [{"amount": 100, "metadata": {"um_line": "1"}}])
    (item,) = account.client.v1.invoice_items.list({"customer": customer}).data
    assert item.metadata.to_dict() == {"um_line": "1"}


def test_a28_what_is_not_counted_when_an_invoice_is_finalised_is_missing_on_it(account):
    fake = account.only_in_the_fake("when Stripe has counted can't be known")
    meter, customer = account.meter(), account.customer().id
    subscription(account, metered_price(account, meter, unit_amount=100), customer)
    account.later(20 * DAY)
    account.send(meter, customer, "5")
    fake.account.faults.plan(Fault(Effect.NEVER_COUNTED))
    account.send(meter, customer, "2")
    account.later(15 * DAY)
    assert [invoice["total"] for invoice in fake.account.invoices(customer)] == [500]


def test_a29_a_subscription_of_metered_prices_begins_without_an_invoice(account):
    customer = account.customer(**CARD).id
    subscription(account, metered_price(account, account.meter(), unit_amount=100), customer)
    assert invoices(account, customer) == []


def test_a30_a_subscription_cancelled_at_once_is_not_billed_for_its_usage(account):
    meter, customer = account.meter(), account.customer(**CARD).id
    subscribed = subscription(account, metered_price(account, meter, unit_amount=100), customer)
    account.send(meter, customer, "5")
    account.eventually(lambda: account.sum_of_today(meter, customer))
    account.client.v1.subscriptions.cancel(subscribed.id)
    assert invoices(account, customer) == []


def report(account):
    """The first error report about seven events of customers that are not there, and their keys."""
    meter = account.meter()
    keys = [account.new_name() for _ in range(7)]
    for key in keys:
        account.send(meter, "cus_unknown", identifier=f"{key}i", key=key)
    kind = "v1.billing.meter.error_report_triggered"
    asked = {"object_id": meter.id, "types": [kind]}
    (found, *_) = account.eventually(lambda: account.client.v2.core.events.list(asked).data)
    return account.client.v2.core.events.retrieve(found.id).data, keys


def test_a31_an_error_report_covers_ten_seconds(account):
    from datetime import datetime, timedelta

    data, _ = report(account)
    covered = datetime.fromisoformat(data.validation_end) - datetime.fromisoformat(data.validation_start)
    assert covered == timedelta(seconds=10)


def test_a32_an_error_report_shows_five_errors_of_a_code_at_most(account):
    data, _ = report(account)
    (kind,) = data.reason.error_types
    assert kind.code == "meter_event_customer_not_found"
    assert len(kind.sample_errors) == min(5, kind.error_count)


def test_a33_an_error_report_names_the_idempotency_key(account):
    data, keys = report(account)
    named = {sample.request.identifier for kind in data.reason.error_types for sample in kind.sample_errors}
    assert named
    assert named <= set(keys)


def test_a34_an_invoice_that_advances_is_charged_when_it_is_finalised(account):
    invoice = draft(account, account.customer(**CARD).id, [{"amount": 1000}])
    account.client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    found = account.eventually(lambda: account.client.v1.invoices.retrieve(invoice.id).status == "paid", within=60)
    assert found


def test_a35_a_fraction_has_no_whole_quantity(account):
    product = account.client.v1.products.create({"name": "Fraction"}).id
    line = {
        "quantity_decimal": "1.5",
        "price_data": {"currency": "usd", "product": product, "unit_amount_decimal": "10"},
    }
    invoice = draft(account, account.customer().id, [line])
    (shown,) = invoice.lines.data
    assert (shown.quantity, f"{shown.quantity_decimal}", shown.amount) == (None, "1.5", 15)


def test_a36_the_items_of_a_deleted_draft_wait_for_the_next_invoice(account):
    customer = account.customer().id
    invoice = draft(account, customer, [{"amount": 100}])
    account.client.v1.invoices.delete(invoice.id)
    assert [item.amount for item in account.client.v1.invoice_items.list({"customer": customer}).data] == [100]
