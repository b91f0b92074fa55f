"""Customers, and the balance that credits and small invoices go to."""

from collections.abc import Mapping

from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.refusals import missing, wrong
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

GOOD_CARD = "pm_card_visa"
PAYMENT_METHODS = frozenset({GOOD_CARD, "pm_card_mastercard", "pm_card_chargeCustomerFail"})
"""Stripe's payment methods for tests that the fake knows. The last one can't be charged."""

_TEXTS = ("name", "email", "description", "phone")


class Customers:
    """Who is billed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._transactions: dict[str, list[Object]] = {}

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        one = "/v1/customers/{customer}"
        taken = f"{' '.join(_TEXTS)} metadata balance invoice_settings preferred_locales tax_exempt"
        return {
            "POST /v1/customers": serves(self._create, f"{taken} payment_method"),
            "GET /v1/customers": serves(self._list, f"email created {PAGING}"),
            f"GET {one}": serves(lambda call: self._found(call.ids["customer"])),
            f"POST {one}": serves(self._update, taken),
            f"DELETE {one}": serves(self._delete),
            f"GET {one}/balance_transactions": serves(self._list_transactions, PAGING),
            f"POST {one}/balance_transactions": serves(self._transact, "amount currency description metadata"),
        }

    def book(self, customer: Object, amount: int, currency: str, kind: str, **about: str | None) -> Object:
        """Change a balance. Positive is what the customer owes, negative what is to be credited."""
        customer["balance"] += amount
        booked: Object = {
            "id": self._world.new_id("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "created": self._world.now,
            "credit_note": None,
            "currency": currency,
            "customer": customer["id"],
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": None,
            "livemode": False,
            "metadata": {},
            "type": kind,
            **about,
        }
        self._transactions.setdefault(customer["id"], []).append(booked)
        return booked

    def can_pay(self, customer: Object, payment_method: str | None) -> bool:
        """Whether a charge of the customer would go through."""
        method = payment_method or customer["invoice_settings"]["default_payment_method"]
        return method in PAYMENT_METHODS and method != "pm_card_chargeCustomerFail"

    def _create(self, call: Call) -> Object:
        customer: Object = {
            "id": self._world.new_id("cus"),
            "object": "customer",
            "created": self._world.now,
            "livemode": False,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "invoice_prefix": f"{len(self._world.customers):08d}",
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": {},
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
            **dict.fromkeys(_TEXTS),
        }
        self._set(customer, call)
        self._world.customers[customer["id"]] = customer
        self._world.announce("customer.created", customer)
        return customer

    def _update(self, call: Call) -> Object:
        customer = self._world.customers.need(call.ids["customer"])
        self._set(customer, call)
        self._world.announce("customer.updated", customer)
        return customer

    def _set(self, customer: Object, call: Call) -> None:
        params = dict(call.params)
        settings = params.pop("invoice_settings", {})
        method = params.pop("payment_method", None) or settings.get("default_payment_method")
        if method and method not in PAYMENT_METHODS:
            raise missing("PaymentMethod", method, "payment_method")
        customer["metadata"] = merged(customer["metadata"], params.pop("metadata", None))
        customer["invoice_settings"] = {**customer["invoice_settings"], **settings}
        customer.update((name, value or None if name in _TEXTS else value) for name, value in params.items())

    def _delete(self, call: Call) -> Object:
        customer = self._world.customers.need(call.ids["customer"])
        for subscription in matching(self._world.subscriptions.values(), customer=customer["id"]):
            if subscription["status"] != "canceled":
                subscription.update(status="canceled", canceled_at=self._world.now, ended_at=self._world.now)
        customer["deleted"] = True
        self._world.announce("customer.deleted", customer)
        return _tombstone(customer)

    def _found(self, identity: str) -> Object:
        customer = self._world.customers.get(identity)
        if customer is None:
            raise missing("customer", identity)
        return _tombstone(customer) if customer.get("deleted") else customer

    def _list(self, call: Call) -> Object:
        found = matching(newest_first(self._world.customers), email=call.params.get("email"))
        return page(call, created_in(found, call.params.get("created")), "/v1/customers")

    def _transact(self, call: Call) -> Object:
        customer = self._world.customers.need(call.ids["customer"])
        if customer["currency"] not in {None, call.params["currency"]}:
            raise wrong("The currency is not the customer's", "currency")
        amount, currency = call.params["amount"], call.params["currency"]
        booked = self.book(customer, amount, currency, "adjustment", description=call.params.get("description"))
        booked["metadata"] = merged({}, call.params.get("metadata"))
        return booked

    def _list_transactions(self, call: Call) -> Object:
        customer = self._world.customers.need(call.ids["customer"])
        found = reversed(self._transactions.get(customer["id"], []))
        return page(call, found, f"/v1/customers/{customer['id']}/balance_transactions")


def _tombstone(customer: Object) -> Object:
    return {"id": customer["id"], "object": "customer", "deleted": True}
