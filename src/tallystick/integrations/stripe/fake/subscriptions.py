"""Subscriptions: their periods, and the invoices that come of them."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tallystick.integrations.stripe.fake.assumptions import FINALISATION_WITHOUT_ANSWER
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.invoices import Invoices
from tallystick.integrations.stripe.fake.lines import line_of_subscription
from tallystick.integrations.stripe.fake.prices import charges
from tallystick.integrations.stripe.fake.refusals import NotServed, wrong
from tallystick.integrations.stripe.fake.usage import Usage
from tallystick.integrations.stripe.fake.world import (
    PAGING,
    Call,
    Served,
    World,
    created_in,
    matching,
    merged,
    newest_first,
    page,
    serves,
)

_SET = ("cancel_at_period_end", "collection_method", "days_until_due", "default_payment_method", "description")


class Subscriptions:
    """Who is subscribed to what.

    Args:
        world: the account.
        usage: what metered items are charged for.
        invoices: where it is charged.
        grace: the seconds that an invoice stays a draft.
    """

    def __init__(self, world: World, usage: Usage, invoices: Invoices, grace: int) -> None:
        self._world = world
        self._usage = usage
        self._invoices = invoices
        self.grace = grace
        self._unacknowledged: set[str] = set()
        self._charged: dict[str, list[Decimal]] = {}
        invoices.bring_up_to_date = self._meter
        self._periods: dict[str, list[tuple[Object, Object]]] = {}  # of drafts: metered items and what they cover

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        one = "/v1/subscriptions/{subscription_exposed_id}"
        taken = f"{' '.join(_SET)} metadata proration_behavior off_session"
        return {
            "POST /v1/subscriptions": serves(
                self._create, f"{taken} customer items currency billing_cycle_anchor billing_mode payment_behavior"
            ),
            "GET /v1/subscriptions": serves(self._list, f"created customer status price collection_method {PAGING}"),
            f"GET {one}": serves(lambda call: self._shown(self._found(call))),
            f"POST {one}": serves(self._update, taken),
            f"DELETE {one}": serves(self._cancel, "invoice_now prorate"),
            "GET /v1/subscription_items": serves(self._list_items, f"subscription {PAGING}"),
            "GET /v1/subscription_items/{item}": serves(
                lambda call: self._world.subscription_items.need(call.ids["item"])
            ),
            "POST /v1/subscription_items": serves(
                self._add_item, "subscription price quantity metadata proration_behavior"
            ),
            "POST /v1/subscription_items/{item}": serves(self._update_item, "metadata quantity proration_behavior"),
            "DELETE /v1/subscription_items/{item}": serves(self._remove_item, "proration_behavior"),
        }

    def awaits_answer(self, invoice: str) -> None:
        """Let a draft wait until somebody acknowledges `invoice.created`, or three days are over."""
        self._unacknowledged.add(invoice)

    def acknowledged(self, invoice: str) -> None:
        """Somebody acknowledged `invoice.created`: the draft is finalised when its grace is over."""
        if invoice in self._unacknowledged:
            self._unacknowledged.discard(invoice)
            self._invoices.finalise_later(self._world.invoices[invoice], self._world.clock.seconds + self.grace)

    def _create(self, call: Call) -> Object:
        params = dict(call.params)
        if "customer" not in params or not params.get("items"):
            raise wrong("A subscription needs a customer and items.", "items", "parameter_missing")
        customer = self._world.customers.need(params["customer"], "customer")
        prices = [self._price(each) for each in params["items"]]
        if len({(price["currency"], _cycle(price)) for price in prices}) > 1:
            raise wrong("All prices of a subscription must have one currency and one interval.", "items")
        _check_collection(params)
        if params.get("billing_cycle_anchor", 0) > self._world.now and not all(map(_metered_price, prices)):
            raise NotServed("proration: a first period that is cut short has metered prices alone")
        subscription = self._blank(customer, prices[0], params)
        self._world.subscriptions[subscription["id"]] = subscription
        for price, each in zip(prices, params["items"], strict=True):
            self._put(subscription, price, each)
        customer["currency"] = customer["currency"] or subscription["currency"]
        self._world.announce("customer.subscription.created", self._shown(subscription))
        self._start(subscription)
        return self._shown(subscription)

    def _start(self, subscription: Object) -> None:
        items = self._items(subscription)
        licensed = [each for each in items if each["price"]["recurring"]["usage_type"] == "licensed"]
        if licensed or self._world.assumed.a29_metered_start_is_invoiced:
            invoice = self._invoice(subscription, "subscription_create", licensed, [])
            self._invoices.finalise(invoice)  # the first one waits for nobody
        self._await_period_end(subscription)

    def _await_period_end(self, subscription: Object) -> None:
        items = self._items(subscription)
        end = items[0]["current_period_end"] if items else None
        if end is not None:
            self._world.clock.at(end, lambda: self._period_ends(subscription, end))

    def _period_ends(self, subscription: Object, end: int) -> None:
        if subscription["status"] == "canceled":
            return
        items = self._items(subscription)
        over = [(each, _period(each)) for each in items if _is_metered(each)]
        if subscription["cancel_at_period_end"]:
            self._end(subscription)
            self._later(self._invoice(subscription, "subscription_cycle", [], over))
            return
        for each in items:
            number = self._number(subscription, each["price"], end)
            each.update(current_period_start=end, current_period_end=_boundary(subscription, each["price"], number + 1))
        licensed = [each for each in items if not _is_metered(each)]
        self._later(self._invoice(subscription, "subscription_cycle", licensed, over))
        self._await_period_end(subscription)

    def _number(self, subscription: Object, price: Object, boundary: int) -> int:
        """Which boundary an instant is: the anchor is number 0."""
        number = 0
        while _boundary(subscription, price, number) < boundary:
            number += 1
        return number

    def _invoice(
        self, subscription: Object, reason: str, licensed: Sequence[Object], over: list[tuple[Object, Object]]
    ) -> Object:
        customer = self._world.customers[subscription["customer"]]
        start, end = over[0][1].values() if over else (self._world.now, self._world.now)
        details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
        invoice = self._invoices.draft(
            customer,
            subscription["currency"],
            auto_advance=True,
            billing_reason=reason,
            collection_method=subscription["collection_method"],
            days_until_due=subscription["days_until_due"],
            default_payment_method=subscription["default_payment_method"],
            parent={"type": "subscription_details", "subscription_details": details, "quote_details": None},
            period_start=start,
            period_end=end,
        )
        subscription["latest_invoice"] = invoice["id"]
        for each in licensed:
            self._charge(invoice, each, Decimal(each.get("quantity", 1)), _period(each))
        self._invoices.attach(invoice, self._invoices.pending(customer["id"], subscription["currency"]))
        self._periods[invoice["id"]] = over
        self._meter(invoice)
        return invoice

    def _meter(self, invoice: Object) -> None:
        """Bring the metered lines of a draft up to date with the usage that is counted by now (A28)."""
        over = self._periods.get(invoice["id"], ())
        totals = [self._metered(invoice, each, period) for each, period in over]
        if totals == self._charged.get(invoice["id"], []):
            return
        self._charged[invoice["id"]] = totals
        metered = {each["id"] for each, _ in over}
        kept = [line for line in self._world.lines[invoice["id"]] if _owner(line) not in metered]
        self._world.lines[invoice["id"]] = kept
        for (each, period), total in zip(over, totals, strict=True):
            self._charge(invoice, each, max(total, Decimal(0)), period)
        self._invoices.add_up(invoice)

    def _metered(self, invoice: Object, item: Object, period: Object) -> Decimal:
        meter = self._world.meters[item["price"]["recurring"]["meter"]]
        uncounted = not self._world.assumed.a28_uncounted_is_unbilled
        return self._usage.total(meter, invoice["customer"], period["start"], period["end"], uncounted=uncounted)

    def _charge(self, invoice: Object, owner: Object, quantity: Decimal, period: Object) -> None:
        price = owner["price"]
        for charged in charges(price, self._world.tiers.get(price["id"], ()), quantity, self._world.assumed):
            line = line_of_subscription(self._world, invoice["id"], owner, charged, period)
            self._world.lines[invoice["id"]].append(line)

    def _later(self, invoice: Object) -> None:
        """Leave a draft open for a while, for late usage and for whoever listens to `invoice.created`."""
        self._invoices.announce("created", invoice)
        if invoice["id"] in self._unacknowledged:
            self._invoices.finalise_later(invoice, self._world.clock.seconds + FINALISATION_WITHOUT_ANSWER)
        else:
            self._invoices.finalise_later(invoice, self._world.clock.seconds + self.grace)

    def _end(self, subscription: Object) -> None:
        subscription.update(status="canceled", canceled_at=self._world.now, ended_at=self._world.now)
        self._world.announce("customer.subscription.deleted", self._shown(subscription))

    def _cancel(self, call: Call) -> Object:
        subscription = self._found(call)
        if subscription["status"] == "canceled":
            raise wrong("The subscription is canceled already.")
        if call.params.get("prorate"):
            raise NotServed("proration")
        over = [(each, {**_period(each), "end": self._world.now}) for each in self._items(subscription)
                if _is_metered(each)]  # fmt: skip
        self._end(subscription)
        if call.params.get("invoice_now") or self._world.assumed.a30_cancel_bills_usage:
            self._later(self._invoice(subscription, "subscription_update", [], over))
        return self._shown(subscription)

    def _update(self, call: Call) -> Object:
        subscription = self._found(call)
        changes = {name: call.params[name] for name in _SET if name in call.params}
        _check_collection({**subscription, **changes})
        changes["metadata"] = merged(subscription["metadata"], call.params.get("metadata"))
        subscription.update(changes)
        self._world.announce("customer.subscription.updated", self._shown(subscription))
        return self._shown(subscription)

    def _found(self, call: Call) -> Object:
        return self._world.subscriptions.need(call.ids["subscription_exposed_id"])

    def _list(self, call: Call) -> Object:
        wanted = {name: call.params.get(name) for name in ("collection_method", "customer")}
        found = created_in(matching(newest_first(self._world.subscriptions), **wanted), call.params.get("created"))
        status = call.params.get("status")
        kept = [each for each in found if status in {"all", each["status"]} or
                (status is None and each["status"] != "canceled")]  # fmt: skip
        if (price := call.params.get("price")) is not None:
            kept = [each for each in kept if any(item["price"]["id"] == price for item in self._items(each))]
        shown = page(call, kept, "/v1/subscriptions")
        shown["data"] = [self._shown(each) for each in shown["data"]]
        return shown

    def _items(self, subscription: Object) -> list[Object]:
        found = matching(self._world.subscription_items.values(), subscription=subscription["id"])
        return [each for each in found if not each.get("deleted")]

    def _shown(self, subscription: Object) -> Object:
        url = f"/v1/subscription_items?subscription={subscription['id']}"
        items = {"object": "list", "data": self._items(subscription), "has_more": False, "url": url}
        return {**subscription, "items": items}

    def _price(self, item: Mapping[str, Any]) -> Object:
        price = self._world.prices.need(item.get("price", ""), "items[][price]")
        if price["recurring"] is None or not price["active"]:
            raise wrong("A subscription takes prices that are active and recurring.", "items[][price]")
        if price["recurring"]["usage_type"] == "metered" and "quantity" in item:
            raise wrong("A metered price takes no quantity.", "items[][quantity]")
        return price

    def _put(self, subscription: Object, price: Object, params: Mapping[str, Any]) -> Object:
        number = self._number(subscription, price, self._world.now + 1)
        made: Object = {
            "id": self._world.new_id("si"),
            "object": "subscription_item",
            "billing_thresholds": None,
            "created": self._world.now,
            "current_period_end": _boundary(subscription, price, number),
            "current_period_start": max(_boundary(subscription, price, number - 1), subscription["start_date"]),
            "discounts": [],
            "metadata": merged({}, params.get("metadata")),
            "price": price,
            "subscription": subscription["id"],
            "tax_rates": [],
        }
        if price["recurring"]["usage_type"] == "licensed":
            made["quantity"] = params.get("quantity", 1)
        self._world.subscription_items[made["id"]] = made
        return made

    def _list_items(self, call: Call) -> Object:
        subscription = self._world.subscriptions.need(call.params["subscription"], "subscription")
        return page(call, self._items(subscription), "/v1/subscription_items")

    def _add_item(self, call: Call) -> Object:
        subscription = self._world.subscriptions.need(call.params["subscription"], "subscription")
        price = self._price(call.params)
        first = self._items(subscription)[0]["price"]
        if (price["currency"], _cycle(price)) != (first["currency"], _cycle(first)):
            raise wrong("All prices of a subscription must have one currency and one interval.", "price")
        if not _metered_price(price):
            raise NotServed("proration: it adds metered prices alone")
        return self._put(subscription, price, call.params)

    def _update_item(self, call: Call) -> Object:
        found = self._world.subscription_items.need(call.ids["item"])
        if "quantity" in call.params and _is_metered(found):
            raise wrong("A metered price takes no quantity.", "quantity")
        if "quantity" in call.params and call.params.get("proration_behavior") != "none":
            raise NotServed("proration; say proration_behavior=none")
        found["metadata"] = merged(found["metadata"], call.params.get("metadata"))
        found.update({"quantity": call.params["quantity"]} if "quantity" in call.params else {})
        return found

    def _remove_item(self, call: Call) -> Object:
        found = self._world.subscription_items.need(call.ids["item"])
        found["deleted"] = True
        return {"id": found["id"], "object": "subscription_item", "deleted": True}

    def _blank(self, customer: Object, price: Object, params: Mapping[str, Any]) -> Object:
        now = self._world.now
        anchor = params.get("billing_cycle_anchor", now)
        if anchor < now:
            raise wrong("billing_cycle_anchor can't be in the past.", "billing_cycle_anchor")
        return {
            "id": self._world.new_id("sub"),
            "object": "subscription",
            "automatic_tax": {"enabled": False, "disabled_reason": None, "liability": None},
            "billing_cycle_anchor": anchor,
            "billing_mode": {"type": params.get("billing_mode", {}).get("type", "flexible")},
            "billing_schedules": [],
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "collection_method": "charge_automatically",
            "created": now,
            "currency": price["currency"],
            "customer": customer["id"],
            "days_until_due": None,
            "default_payment_method": None,
            "description": None,
            "discounts": [],
            "ended_at": None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "latest_invoice": None,
            "livemode": False,
            "start_date": now,
            "status": "active",
            "test_clock": None,
            **{name: params[name] for name in _SET if name in params},
            "metadata": merged({}, params.get("metadata")),
        }


def _check_collection(params: Mapping[str, Any]) -> None:
    if (params.get("collection_method") == "send_invoice") != (params.get("days_until_due") is not None):
        raise wrong("days_until_due goes with collection_method=send_invoice.", "days_until_due")


def _cycle(price: Object) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]


def _is_metered(item: Object) -> bool:
    return _metered_price(item["price"])


def _metered_price(price: Object) -> bool:
    return bool(price["recurring"]["usage_type"] == "metered")


def _period(item: Object) -> Object:
    return {"start": item["current_period_start"], "end": item["current_period_end"]}


def _owner(line: Object) -> str | None:
    details = line["parent"]["subscription_item_details"]
    return details["subscription_item"] if details else None


def _boundary(subscription: Object, price: Object, number: int) -> int:
    """The instant that is so many intervals after the anchor: never one reckoned from the one before."""
    interval, count = _cycle(price)
    anchor = datetime.fromtimestamp(subscription["billing_cycle_anchor"], UTC)
    if interval in {"day", "week"}:
        return int((anchor + timedelta(days=number * count * (7 if interval == "week" else 1))).timestamp())
    months = anchor.year * 12 + anchor.month - 1 + number * count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(anchor.day, calendar.monthrange(year, month + 1)[1])
    return int(anchor.replace(year=year, month=month + 1, day=day).timestamp())
