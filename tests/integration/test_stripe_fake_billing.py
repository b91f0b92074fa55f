"""The fake Stripe's customers, prices, subscriptions, invoices and credit notes do what Stripe documents."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tallystick.integrations.stripe.fake import Setting
from tests.integration.stripe_setup import BAD_CARD, CARD, Shop, open_shop


@pytest.fixture
def shop():
    with open_shop() as opened:
        yield opened
        assert opened.account.violations == []
        assert opened.account.unserved == []


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc] # the parts of a moment


def lines(invoice: Any) -> list[tuple[Any, int]]:
    return [(line["quantity"], line["amount"]) for line in invoice["lines"]]


def states(shop: Shop, customer: str) -> list[tuple[str, int]]:
    return [(invoice["status"], invoice["total"]) for invoice in shop.account.invoices(customer)]


# --- Subscriptions --------------------------------------------------------------------------------


def test_usage_of_a_period_is_billed_an_hour_after_its_end(shop):
    meter, customer = shop.meter(), shop.customer(**CARD)
    shop.subscribe(customer, shop.metered(meter, unit_amount=3))
    shop.send(customer, "100")
    shop.account.advance(days=31)
    assert states(shop, customer) == [("draft", 300)]
    shop.account.advance(hours=1)
    assert states(shop, customer) == [("paid", 300)]


def test_late_usage_is_billed_within_the_grace_and_never_after_it(shop):
    meter, customer = shop.meter(), shop.customer(**CARD)
    shop.subscribe(customer, shop.metered(meter, unit_amount=100))
    shop.send(customer, "1")
    shop.account.advance(days=31, minutes=30)
    shop.send(customer, "2", timestamp=at(2026, 3, 31, 23, 59))
    assert states(shop, customer) == [("draft", 300)]
    shop.account.advance(hours=1)
    shop.send(customer, "4", timestamp=at(2026, 3, 31, 23, 59))
    shop.account.advance(days=31)
    assert states(shop, customer) == [("paid", 300), ("paid", 0)]


def test_periods_are_counted_from_the_anchor(shop):
    shop.account.clock.set(datetime(2026, 12, 31, 12, tzinfo=UTC))
    customer = shop.customer()
    subscribed = shop.subscribe(customer, shop.metered(shop.meter(), unit_amount=1))
    ends = []
    for _ in range(4):
        item = shop.client.v1.subscription_items.list({"subscription": subscribed.id}).data[0]
        ends.append(item.current_period_end)
        shop.account.clock.set(datetime.fromtimestamp(item.current_period_end, UTC))
    assert ends == [at(2027, 1, 31, 12), at(2027, 2, 28, 12), at(2027, 3, 31, 12), at(2027, 4, 30, 12)]


def test_the_first_period_may_be_cut_short_by_an_anchor_ahead(shop):
    customer = shop.customer()
    anchor = at(2026, 3, 10)
    subscribed = shop.subscribe(customer, shop.metered(shop.meter(), unit_amount=1), billing_cycle_anchor=anchor)
    item = subscribed["items"].data[0]
    assert (item.current_period_start, item.current_period_end) == (at(2026, 3, 1), anchor)
    shop.account.advance(days=9)
    item = shop.client.v1.subscription_items.retrieve(item.id)
    assert (item.current_period_start, item.current_period_end) == (anchor, at(2026, 4, 10))


def test_a_period_whose_usage_is_below_zero_is_billed_as_zero(shop):
    meter, customer = shop.meter(), shop.customer()
    shop.subscribe(customer, shop.metered(meter, unit_amount=100))
    shop.send(customer, "-5")
    shop.account.advance(days=32)
    assert [lines(invoice) for invoice in shop.account.invoices(customer)] == [[(0, 0)]]


def test_a_licensed_price_is_billed_ahead(shop):
    customer = shop.customer(**CARD)
    shop.subscribe(customer, shop.price(unit_amount=900, recurring={"interval": "month"}))
    assert states(shop, customer) == [("paid", 900)]
    shop.account.advance(days=31, hours=1)
    assert states(shop, customer) == [("paid", 900), ("paid", 900)]


def test_items_that_wait_are_on_the_next_invoice_of_a_subscription(shop):
    meter, customer = shop.meter(), shop.customer(**CARD)
    shop.subscribe(customer, shop.metered(meter, unit_amount=100))
    shop.client.v1.invoice_items.create({"customer": customer, "amount": -50, "currency": "usd"})
    shop.send(customer, "3")
    shop.account.advance(days=31, hours=1)
    assert states(shop, customer) == [("paid", 250)]


def test_a_subscription_that_ends_with_its_period_is_billed_for_it_and_no_longer(shop):
    meter, customer = shop.meter(), shop.customer(**CARD)
    subscribed = shop.subscribe(customer, shop.metered(meter, unit_amount=100))
    shop.client.v1.subscriptions.update(subscribed.id, {"cancel_at_period_end": True})
    shop.send(customer, "2")
    shop.account.advance(days=90)
    assert states(shop, customer) == [("paid", 200)]
    assert shop.client.v1.subscriptions.retrieve(subscribed.id).status == "canceled"


# --- Prices ---------------------------------------------------------------------------------------

TIERS = [{"up_to": 10, "unit_amount": 10, "flat_amount": 100}, {"up_to": "inf", "unit_amount_decimal": "2.5"}]


@pytest.mark.parametrize(
    ("pricing", "used", "billed"),
    [
        ({"unit_amount_decimal": "0.05"}, "30", [(30, 2)]),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS}, "10", [(10, 200)]),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS}, "11", [(11, 28)]),
        ({"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": TIERS}, "10", [(10, 200)]),
        ({"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": TIERS}, "12", [(10, 200), (2, 5)]),
        ({"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": TIERS}, "0", [(0, 0)]),
        ({"unit_amount": 7, "transform_quantity": {"divide_by": 1000, "round": "up"}}, "1001", [(1001, 14)]),
        ({"unit_amount": 7, "transform_quantity": {"divide_by": 1000, "round": "down"}}, "1999", [(1999, 7)]),
    ],
)
def test_what_usage_comes_to(shop, pricing, used, billed):
    meter, customer = shop.meter(), shop.customer()
    shop.subscribe(customer, shop.metered(meter, **pricing))
    shop.send(customer, used)
    shop.account.advance(days=31)
    assert [lines(invoice) for invoice in shop.account.invoices(customer)] == [billed]


@pytest.mark.parametrize(
    ("pricing", "told"),
    [
        ({"recurring": {"interval": "month", "usage_type": "metered"}, "unit_amount": 1}, "must be backed by meters"),
        ({}, "unit_amount"),
        ({"unit_amount": 1, "unit_amount_decimal": "1"}, "unit_amount"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": 5, "unit_amount": 1}]}, "inf"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": [{"up_to": "inf"}]}, "unit amount or a flat"),
        ({"product": "prod_unknown", "product_data": {"name": "a"}, "unit_amount": 1}, "No such product"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(shop, pricing, told):
    assert told in str(shop.refusal(lambda: shop.price(**pricing)))


def test_tiers_are_shown_to_those_who_ask(shop):
    price = shop.price(billing_scheme="tiered", tiers_mode="volume", tiers=[{"up_to": "inf", "unit_amount": 1}])
    assert "tiers" not in price
    shown = shop.client.v1.prices.retrieve(price.id, {"expand": ["tiers"]})
    assert [tier.up_to for tier in shown.tiers] == [None]
    assert shop.client.v1.prices.list({"expand": ["data.tiers"]}).data[0].tiers
    refused = shop.refusal(lambda: shop.client.v1.prices.retrieve(price.id, {"expand": ["colour"]}))
    assert "cannot be expanded" in str(refused)


def test_a_lookup_key_belongs_to_one_price_and_can_be_handed_on(shop):
    first = shop.price(unit_amount=1, lookup_key="basic")
    shop.refusal(lambda: shop.price(unit_amount=2, lookup_key="basic"))
    second = shop.price(unit_amount=2, lookup_key="basic", transfer_lookup_key=True)
    assert [price.id for price in shop.client.v1.prices.list({"lookup_keys": ["basic"]}).data] == [second.id]
    assert shop.client.v1.prices.retrieve(first.id).lookup_key is None


# --- Invoices -------------------------------------------------------------------------------------


def test_lines_are_added_changed_and_removed_while_an_invoice_is_a_draft(shop):
    customer = shop.customer()
    invoice = shop.draft(customer, 100, 200, 300)
    first, second, third = (line.id for line in invoice.lines.data)
    shop.client.v1.invoices.update_lines(invoice.id, {"lines": [{"id": first, "amount": 150}]})
    shop.client.v1.invoices.remove_lines(
        invoice.id, {"lines": [{"id": second, "behavior": "delete"}, {"id": third, "behavior": "unassign"}]}
    )
    assert shop.client.v1.invoices.retrieve(invoice.id).total == 150
    assert [
        item.amount for item in shop.client.v1.invoice_items.list({"customer": customer, "pending": True}).data
    ] == [300]


def test_an_item_is_changed_by_its_own_identity_and_not_by_that_of_its_line(shop):
    invoice = shop.draft(shop.customer(), 100)
    (line,) = invoice.lines.data
    assert shop.refusal(lambda: shop.client.v1.invoice_items.delete(line.id)).http_status == 404
    item = line.parent.invoice_item_details.invoice_item
    shop.client.v1.invoice_items.update(item, {"amount": 70, "metadata": {"a": "b"}})
    (line,) = shop.client.v1.invoices.retrieve(invoice.id).lines.data
    assert (line.amount, line.metadata.to_dict()) == (70, {"a": "b"})
    shop.client.v1.invoice_items.delete(item)
    assert shop.client.v1.invoices.retrieve(invoice.id).lines.data == []


def test_all_lines_of_a_call_are_added_or_none(shop):
    invoice = shop.draft(shop.customer(), 100)
    wrong = [{"amount": 1}, {"amount": 1, "quantity": 2}]
    shop.refusal(lambda: shop.client.v1.invoices.add_lines(invoice.id, {"lines": wrong}))
    many = {"lines": [{"amount": 1}] * 250}
    shop.refusal(lambda: shop.client.v1.invoices.add_lines(invoice.id, many))
    assert shop.client.v1.invoices.retrieve(invoice.id).total == 100


def test_an_invoice_shows_ten_lines_and_pages_the_rest(shop):
    invoice = shop.draft(shop.customer(), *range(1, 251))
    assert (len(invoice.lines.data), invoice.lines.has_more) == (10, True)
    listed = shop.client.v1.invoices.line_items.list(invoice.id, {"limit": 100}).auto_paging_iter()
    assert [line.amount for line in listed] == list(range(1, 251))


def test_a_final_invoice_can_not_be_changed(shop):
    invoice = shop.draft(shop.customer(), 1000)
    shop.client.v1.invoices.finalize_invoice(invoice.id)
    for change in (
        lambda: shop.client.v1.invoices.add_lines(invoice.id, {"lines": [{"amount": 1}]}),
        lambda: shop.client.v1.invoices.update(invoice.id, {"description": "late"}),
        lambda: shop.client.v1.invoices.delete(invoice.id),
        lambda: shop.client.v1.invoices.finalize_invoice(invoice.id),
    ):
        assert shop.refusal(change).http_status == 400
    assert shop.client.v1.invoices.update(invoice.id, {"metadata": {"a": "b"}}).metadata.to_dict() == {"a": "b"}


def test_a_card_that_is_declined_leaves_the_invoice_open(shop):
    invoice = shop.draft(shop.customer(**BAD_CARD), 1000)
    assert shop.client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True}).status == "open"
    assert len(shop.account.events("invoice.payment_failed")) == 1
    assert isinstance(shop.refusal(lambda: shop.client.v1.invoices.pay(invoice.id)), stripe.CardError)
    assert shop.client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"}).status == "paid"


def test_an_invoice_that_is_sent_is_due_in_some_days_and_paid_elsewhere(shop):
    invoice = shop.draft(shop.customer(), 1000, collection_method="send_invoice", days_until_due=14)
    sent = shop.client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.due_date) == ("open", shop.now + 14 * 86400)
    assert shop.client.v1.invoices.pay(invoice.id, {"paid_out_of_band": True}).status == "paid"


def test_what_is_below_zero_or_too_small_goes_to_the_balance(shop):
    customer = shop.customer(**CARD)

    def settle(amount: int) -> tuple[int, int]:
        final = shop.client.v1.invoices.finalize_invoice(shop.draft(customer, amount).id)
        return final.amount_due, shop.client.v1.customers.retrieve(customer).balance

    assert [settle(-300), settle(100), settle(220), settle(30), settle(70)] == [
        (0, -300),
        (0, -200),
        (0, 20),
        (50, 0),
        (70, 0),
    ]


def test_a_void_invoice_gives_back_what_the_balance_paid(shop):
    customer = shop.customer(balance=-200)
    invoice = shop.draft(customer, 1000)
    assert shop.client.v1.invoices.finalize_invoice(invoice.id).amount_due == 800
    assert shop.client.v1.invoices.void_invoice(invoice.id).status == "void"
    assert shop.client.v1.customers.retrieve(customer).balance == -200


def test_an_invoice_that_advances_by_itself_is_final_after_an_hour(shop):
    shop.draft(shop.customer(**CARD), 1000, auto_advance=True)
    shop.account.advance(minutes=59)
    assert [invoice["status"] for invoice in shop.account.invoices()] == ["draft"]
    shop.account.advance(minutes=1)
    assert [invoice["status"] for invoice in shop.account.invoices()] == ["paid"]


# --- Credit notes ---------------------------------------------------------------------------------


def test_a_credit_note_before_payment_lessens_what_is_due(shop):
    invoice = shop.draft(shop.customer(), 600, 400)
    invoice = shop.client.v1.invoices.finalize_invoice(invoice.id)
    line = {"type": "invoice_line_item", "invoice_line_item": invoice.lines.data[1].id}
    note = shop.client.v1.credit_notes.create({"invoice": invoice.id, "lines": [line]})
    assert (note.amount, note.type) == (400, "pre_payment")
    assert shop.client.v1.invoices.retrieve(invoice.id).amount_remaining == 600
    shop.client.v1.credit_notes.void_credit_note(note.id)
    assert shop.client.v1.invoices.retrieve(invoice.id).amount_remaining == 1000


def test_a_credit_note_after_payment_credits_the_balance_up_to_the_total(shop):
    customer = shop.customer(**CARD)
    invoice = shop.draft(customer, 1000)
    shop.client.v1.invoices.finalize_invoice(invoice.id, {"auto_advance": True})
    create = shop.client.v1.credit_notes.create
    create({"invoice": invoice.id, "amount": 900, "credit_amount": 900})
    assert shop.client.v1.customers.retrieve(customer).balance == -900
    assert shop.refusal(lambda: create({"invoice": invoice.id, "amount": 101, "credit_amount": 101})).param == "amount"
    assert shop.refusal(lambda: create({"invoice": invoice.id, "amount": 50})).param == "credit_amount"


# --- Customers ------------------------------------------------------------------------------------


def test_metadata_is_merged_and_taken_away_by_empty_texts(shop):
    customer = shop.customer(metadata={"team": "a", "tier": "b"})
    changed = shop.client.v1.customers.update(customer, {"metadata": {"tier": "", "zone": "c"}})
    assert changed.metadata.to_dict() == {"team": "a", "zone": "c"}
    assert shop.client.v1.customers.update(customer, {"metadata": ""}).metadata.to_dict() == {}


def test_lists_are_newest_first_and_paged_both_ways(shop):
    made = [shop.customer(name=f"{number}") for number in range(25)]
    listed = shop.client.v1.customers.list({"limit": 10})
    assert [each.id for each in listed.auto_paging_iter()] == made[::-1]
    before = shop.client.v1.customers.list({"limit": 3, "ending_before": made[10]})
    assert [each.id for each in before.data] == [made[13], made[12], made[11]]


def test_a_deleted_customer_is_a_tombstone_and_has_no_subscriptions(shop):
    customer = shop.customer()
    subscribed = shop.subscribe(customer, shop.metered(shop.meter(), unit_amount=1))
    shop.client.v1.customers.delete(customer)
    assert shop.client.v1.customers.retrieve(customer).deleted
    assert shop.client.v1.subscriptions.retrieve(subscribed.id).status == "canceled"


def test_the_grace_of_an_account_can_be_three_days():
    with open_shop(Setting(grace=72 * 3600)) as shop:
        meter, customer = shop.meter(), shop.customer(**CARD)
        shop.subscribe(customer, shop.metered(meter, unit_amount=100))
        shop.account.advance(days=33)
        shop.send(customer, "2", timestamp=at(2026, 3, 31, 12))
        shop.account.advance(days=2)
        assert states(shop, customer) == [("paid", 200)]


def test_what_would_be_prorated_is_refused_rather_than_reckoned_wrong():
    with open_shop() as shop:
        customer = shop.customer(**CARD)
        seats = shop.price(unit_amount=900, recurring={"interval": "month"})
        ahead = {"billing_cycle_anchor": shop.now + 86400}
        item = shop.subscribe(customer, seats)["items"].data[0].id
        update = shop.client.v1.subscription_items.update
        for call in (
            lambda: shop.subscribe(customer, seats, **ahead),
            lambda: update(item, {"quantity": 2}),
            lambda: shop.client.v1.invoices.create({"customer": customer, "automatic_tax": {"enabled": True}}),
        ):
            assert shop.refusal(call).http_status == 501
        assert len(shop.account.unserved) == 3
        assert update(item, {"quantity": 2, "proration_behavior": "none"}).quantity == 2
        shop.account.advance(days=31, hours=1)
        assert states(shop, customer) == [("paid", 900), ("paid", 1800)]
