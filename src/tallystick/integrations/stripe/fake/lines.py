"""Lines of invoices, and the invoice items behind them: what they are made of, and what they come to."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.prices import Charged, charges, one_time
from tallystick.integrations.stripe.fake.refusals import NotServed, wrong
from tallystick.integrations.stripe.fake.world import World, merged

PRICES = ("amount", "unit_amount_decimal", "pricing", "price_data")
"""The parameters of which exactly one says what one of a line costs."""

PRICED = f"{' '.join(PRICES)} quantity quantity_decimal"
"""The parameters that say what a line comes to."""

PRICED_LINE = PRICED.replace("unit_amount_decimal ", "")
"""The same, of a line that is changed: a unit amount goes into `price_data` there."""

TOLD = "description discountable metadata period"
"""The parameters that say what it is about."""


class Worth(NamedTuple):
    """What a line comes to, in minor units, and how."""

    amount: int
    quantity: Decimal
    unit_amount: Decimal | None
    price: Object | None
    currency: str | None


def worth(world: World, params: Mapping[str, Any]) -> Worth:
    """What the parameters of an item or line come to.

    Raises:
        Refused: they say nothing, or two things, or a quantity at a price that is not one price.
    """
    ways = [name for name in PRICES if params.get(name) is not None]
    if len(ways) != 1:
        raise wrong(f"Give exactly one of {', '.join(PRICES)}.", "amount")
    quantity = _quantity(params)
    if ways[0] == "amount":
        if quantity is not None:
            raise wrong("A quantity goes with a unit amount or a price, not with amount.", "quantity")
        amount: int = params["amount"]
        return Worth(amount, Decimal(1), Decimal(amount), None, params.get("currency"))
    quantity = Decimal(1) if quantity is None else quantity
    if ways[0] == "pricing":
        return _priced(world, params["pricing"].get("price", ""), quantity)
    if ways[0] == "price_data":
        return _at(world, quantity, *_inline(world, params["price_data"]))
    return _at(world, quantity, Decimal(params["unit_amount_decimal"]), params.get("currency"))


def _at(world: World, quantity: Decimal, unit: Decimal, currency: str | None) -> Worth:
    return Worth(world.assumed.rounded(EXACT.multiply(quantity, unit)), quantity, unit, None, currency)


def _inline(world: World, data: Mapping[str, Any]) -> tuple[Decimal, str]:
    """The unit amount and currency of a price that is made up on the spot."""
    if "product" not in data:
        raise NotServed("price_data without a product")
    world.products.need(data["product"], "price_data[product]")
    units = [data[name] for name in ("unit_amount", "unit_amount_decimal") if name in data]
    if len(units) != 1:
        raise wrong("Give either unit_amount or unit_amount_decimal.", "price_data[unit_amount]")
    return Decimal(units[0]), data["currency"]


def _priced(world: World, identity: str, quantity: Decimal) -> Worth:
    price = one_time(world.prices, identity, "pricing[price]")
    lines = list(charges(price, world.tiers.get(price["id"], ()), quantity, world.assumed))
    unit = lines[0].unit_amount if len(lines) == 1 else None
    return Worth(sum(line.amount for line in lines), quantity, unit, price, price["currency"])


def _quantity(params: Mapping[str, Any]) -> Decimal | None:
    if params.get("quantity") is not None and params.get("quantity_decimal") is not None:
        raise wrong("Give either quantity or quantity_decimal.", "quantity")
    given = params.get("quantity_decimal", params.get("quantity"))
    return None if given is None else Decimal(given)


def item(world: World, customer: str, currency: str, params: Mapping[str, Any]) -> Object:
    """An invoice item, on no invoice yet."""
    made: Object = {
        "id": world.new_id("ii"),
        "object": "invoiceitem",
        "customer": customer,
        "date": world.now,
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": world.now, "end": world.now},
        "proration": False,
        "tax_rates": [],
        "test_clock": None,
    }
    price_item(made, worth(world, params), currency)
    tell(made, params)
    return made


def price_item(made: Object, found: Worth, currency: str) -> None:
    """Give an item its amount.

    Raises:
        Refused: it is in another currency.
    """
    if found.currency not in {None, currency}:
        raise wrong(f"The item is in {found.currency}, the invoice in {currency}.", "currency")
    made.update(
        amount=found.amount,
        currency=currency,
        net_amount=found.amount,
        quantity=int(found.quantity),
        quantity_decimal=plain(found.quantity),
        pricing=_pricing(found),
    )


def tell(made: Object, params: Mapping[str, Any]) -> None:
    """Set what an item or line is about.

    Raises:
        Refused: its period ends before it begins.
    """
    if "metadata" in params:
        made["metadata"] = merged(made["metadata"], params["metadata"])
    for name in ("description", "discountable", "period"):
        if name in params:
            made[name] = params[name]
    if made["period"]["start"] > made["period"]["end"]:
        raise wrong("The period ends before it begins.", "period")


def line_of(world: World, of: Object, invoice: str) -> Object:
    """The line of an invoice that shows an invoice item."""
    details = {"invoice_item": of["id"], "proration": False, "proration_details": None, "subscription": None}
    line = _line(world, invoice, of["currency"])
    line["parent"] = {"type": "invoice_item_details", "invoice_item_details": details,
                      "subscription_item_details": None}  # fmt: skip
    show(world, line, of)
    return line


def show(world: World, line: Object, of: Object) -> None:
    """Bring a line up to date with its item."""
    whole = "." not in of["quantity_decimal"]
    line.update(
        {name: of[name] for name in ("amount", "description", "discountable", "period", "pricing", "quantity_decimal")},
        metadata=dict(of["metadata"]),
        quantity=of["quantity"] if whole or not world.assumed.a35_fraction_has_no_quantity else None,
        subtotal=of["amount"],
    )


def line_of_subscription(world: World, invoice: str, owner: Object, charged: Charged, period: Object) -> Object:
    """The line of an invoice that shows what an item of a subscription is charged."""
    price = owner["price"]
    details = {"invoice_item": None, "proration": False, "proration_details": None,
               "subscription": owner["subscription"], "subscription_item": owner["id"]}  # fmt: skip
    found = Worth(charged.amount, charged.quantity, charged.unit_amount, price, None)
    whole = charged.quantity == charged.quantity.to_integral_value()
    return {
        **_line(world, invoice, price["currency"]),
        "amount": charged.amount,
        "description": f"{price['nickname'] or price['product']}{charged.note}",
        "parent": {"type": "subscription_item_details", "subscription_item_details": details,
                   "invoice_item_details": None},
        "period": period,
        "pricing": _pricing(found),
        "quantity": int(charged.quantity) if whole or not world.assumed.a35_fraction_has_no_quantity else None,
        "quantity_decimal": plain(charged.quantity),
        "subscription": owner["subscription"],
        "subtotal": charged.amount,
    }  # fmt: skip


def _line(world: World, invoice: str, currency: str) -> Object:
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "currency": currency,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "subscription": None,
        "taxes": [],
    }


def _pricing(found: Worth) -> Object:
    unit = None if found.unit_amount is None else plain(found.unit_amount)
    pricing: Object = {"type": "price_details", "unit_amount_decimal": unit}
    if found.price is not None:
        pricing["price_details"] = {"price": found.price["id"], "product": found.price["product"]}
    return pricing
