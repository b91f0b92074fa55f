"""Products and prices, and what a quantity comes to at a price."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.fake.assumptions import ROUND, Assumptions
from tallystick.integrations.stripe.fake.description import Object
from tallystick.integrations.stripe.fake.refusals import wrong
from tallystick.integrations.stripe.fake.world import (
    PAGING,
    Call,
    Served,
    Table,
    World,
    created_in,
    matching,
    merged,
    newest_first,
    page,
    serves,
)


class Charged(NamedTuple):
    """A line's worth: so much at so much each, in minor units."""

    quantity: Decimal
    unit_amount: Decimal | None
    amount: int
    note: str


class Prices:
    """What is sold, and for how much."""

    def __init__(self, world: World) -> None:
        self._world = world

    def operations(self) -> Mapping[str, Served]:
        """What is served here."""
        product, price = "/v1/products/{id}", "/v1/prices/{price}"
        taken = "name active description metadata unit_label statement_descriptor tax_code url images"
        return {
            "POST /v1/products": serves(self._create_product, f"id {taken}"),
            "GET /v1/products": serves(self._list_products, f"active ids created {PAGING}"),
            f"GET {product}": serves(lambda call: self._world.products.need(call.ids["id"])),
            f"POST {product}": serves(self._update_product, taken),
            f"DELETE {product}": serves(self._delete_product),
            "POST /v1/prices": serves(self._create_price, f"{' '.join(_PRICE)} expand"),
            "GET /v1/prices": serves(
                self._list_prices, f"active product currency type lookup_keys created expand {PAGING}"
            ),
            f"GET {price}": serves(
                lambda call: self._shown(call, self._world.prices.need(call.ids["price"])), "expand"
            ),
            f"POST {price}": serves(
                self._update_price, "active lookup_key metadata nickname tax_behavior transfer_lookup_key expand"
            ),
        }

    def _create_product(self, call: Call) -> Object:
        identity = call.params.get("id") or self._world.new_id("prod")
        if identity in self._world.products:
            raise wrong(f"Product already exists: {identity}", "id", "resource_already_exists")
        product: Object = {
            "id": identity,
            "object": "product",
            "active": True,
            "created": self._world.now,
            "default_price": None,
            "description": None,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": {},
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "unit_label": None,
            "updated": self._world.now,
            "url": None,
        }
        _set(product, call.params)
        self._world.products[identity] = product
        self._world.announce("product.created", product)
        return product

    def _update_product(self, call: Call) -> Object:
        product = self._world.products.need(call.ids["id"])
        _set(product, {**call.params, "updated": self._world.now})
        self._world.announce("product.updated", product)
        return product

    def _delete_product(self, call: Call) -> Object:
        product = self._world.products.need(call.ids["id"])
        if any(matching(self._world.prices.values(), product=product["id"])):
            raise wrong("This product cannot be deleted because it has one or more user-created prices.")
        product["deleted"] = True
        self._world.announce("product.deleted", product)
        return {"id": product["id"], "object": "product", "deleted": True}

    def _list_products(self, call: Call) -> Object:
        found = matching(newest_first(self._world.products), active=call.params.get("active"))
        ids = call.params.get("ids")
        wanted = (each for each in found if ids is None or each["id"] in ids)
        return page(call, created_in(wanted, call.params.get("created")), "/v1/products")

    def _create_price(self, call: Call) -> Object:
        params = dict(call.params)
        price: Object = {
            "id": self._world.new_id("price"),
            "object": "price",
            "active": params.get("active", True),
            "billing_scheme": params.get("billing_scheme", "per_unit"),
            "created": self._world.now,
            "currency": params["currency"],
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": merged({}, params.pop("metadata", None)),
            "nickname": params.get("nickname"),
            "product": self._product_of(params),
            "recurring": self._recurring(params.get("recurring")),
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": params.get("tiers_mode"),
            "transform_quantity": params.get("transform_quantity"),
            "type": "recurring" if "recurring" in params else "one_time",
        }
        if price["billing_scheme"] == "per_unit":
            price.update(_unit_amounts(params))
        else:
            price.update(unit_amount=None, unit_amount_decimal=None)
            self._world.tiers[price["id"]] = _tiers(params)
        self._give_lookup_key(price, params)
        self._world.prices[price["id"]] = price
        self._world.announce("price.created", price)
        return self._shown(call, price)

    def _product_of(self, params: Mapping[str, Any]) -> str:
        if (product := params.get("product")) is not None:
            identity: str = self._world.products.need(product, "product")["id"]
            return identity
        if (data := params.get("product_data")) is None:
            raise wrong("You must specify either `product` or `product_data` when creating a price.")
        created: str = self._create_product(Call(data))["id"]
        return created

    def _recurring(self, recurring: Mapping[str, Any] | None) -> Object | None:
        if recurring is None:
            return None
        usage_type = recurring.get("usage_type", "licensed")
        meter = recurring.get("meter")
        if usage_type == "metered" and meter is None:
            raise wrong(
                "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
                "recurring[meter]",
            )
        if meter is not None:
            if usage_type != "metered":
                raise wrong("A price with a meter must be metered.", "recurring[usage_type]")
            if self._world.meters.need(meter, "recurring[meter]")["status"] != "active":
                raise wrong("The meter of a new price must be active.", "recurring[meter]", "archived_meter")
        return {
            "interval": recurring["interval"],
            "interval_count": recurring.get("interval_count", 1),
            "meter": meter,
            "usage_type": usage_type,
        }

    def _give_lookup_key(self, price: Object, params: Mapping[str, Any]) -> None:
        if (key := params.get("lookup_key")) is None:
            return
        for other in matching(self._world.prices.values(), lookup_key=key):
            if not params.get("transfer_lookup_key"):
                raise wrong(f"A price (`{other['id']}`) already uses that lookup key.", "lookup_key")
            other["lookup_key"] = None
        price["lookup_key"] = key or None

    def _update_price(self, call: Call) -> Object:
        price = self._world.prices.need(call.ids["price"])
        params = dict(call.params)
        self._give_lookup_key(price, params)
        for used in ("lookup_key", "transfer_lookup_key", "expand"):
            params.pop(used, None)
        _set(price, params)
        self._world.announce("price.updated", price)
        return self._shown(call, price)

    def _list_prices(self, call: Call) -> Object:
        wanted = {name: call.params.get(name) for name in ("active", "product", "currency", "type")}
        found = matching(newest_first(self._world.prices), **wanted)
        keys = call.params.get("lookup_keys")
        named = (each for each in found if keys is None or each["lookup_key"] in keys)
        shown = page(call, created_in(named, call.params.get("created")), "/v1/prices")
        shown["data"] = [self._shown(call, each, "data.tiers") for each in shown["data"]]
        return shown

    def _shown(self, call: Call, price: Object, path: str = "tiers") -> Object:
        """A price as it is answered: with its tiers for those who ask for them."""
        for asked in call.params.get("expand", ()):
            if asked != path:
                raise wrong(f"This property cannot be expanded ({asked}).", "expand")
        wanted = "expand" in call.params and price["id"] in self._world.tiers
        return {**price, "tiers": self._world.tiers[price["id"]]} if wanted else price


def one_time(prices: Table, identity: str, param: str) -> Object:
    """A price that an invoice item may have.

    Raises:
        Refused: it is unknown, or recurring.
    """
    price = prices.need(identity, param)
    if price["type"] != "one_time":
        raise wrong("The price is recurring; an invoice item takes a one-time price.", param)
    return price


def charges(price: Object, tiers: Sequence[Object], quantity: Decimal, assumed: Assumptions) -> Iterator[Charged]:
    """The lines that a quantity makes at a price. Each amount is rounded to minor units for itself."""
    if price["billing_scheme"] == "per_unit":
        unit = Decimal(price["unit_amount_decimal"])
        yield Charged(quantity, unit, assumed.rounded(EXACT.multiply(_packages(price, quantity), unit)), "")
    elif price["tiers_mode"] == "volume":
        yield _volume(tiers, quantity, assumed)
    else:
        yield from _graduated(tiers, quantity, assumed)


def _packages(price: Object, quantity: Decimal) -> Decimal:
    if (transform := price["transform_quantity"]) is None:
        return quantity
    exact = EXACT.divide(quantity, Decimal(transform["divide_by"]))
    return exact.to_integral_value(ROUND[transform["round"]])


def _volume(tiers: Sequence[Object], quantity: Decimal, assumed: Assumptions) -> Charged:
    for number, tier in enumerate(tiers, 1):
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            amount = _at(tier, quantity)
            return Charged(quantity, _unit(tier), assumed.rounded(amount), f" (Tier {number})")
    raise AssertionError("the last tier has no end")


def _graduated(tiers: Sequence[Object], quantity: Decimal, assumed: Assumptions) -> Iterator[Charged]:
    below, whole = Decimal(0), Decimal(0)
    for number, tier in enumerate(tiers, 1):
        if number > 1 and quantity <= below:
            break
        top = quantity if tier["up_to"] is None else min(quantity, Decimal(tier["up_to"]))
        amount = _at(tier, top - below)
        whole = EXACT.add(whole, amount)
        if assumed.a23_line_per_tier:
            yield Charged(top - below, _unit(tier), assumed.rounded(amount), f" (Tier {number})")
        below = top
    if not assumed.a23_line_per_tier:
        yield Charged(quantity, None, assumed.rounded(whole), "")


def _at(tier: Object, quantity: Decimal) -> Decimal:
    flat = Decimal(tier["flat_amount_decimal"] or 0) if quantity else Decimal(0)
    return EXACT.add(EXACT.multiply(quantity, _unit(tier)), flat)


def _unit(tier: Object) -> Decimal:
    return Decimal(tier["unit_amount_decimal"] or 0)


def _set(thing: Object, params: Mapping[str, Any]) -> None:
    changes = dict(params)
    thing["metadata"] = merged(thing["metadata"], changes.pop("metadata", None))
    thing.update((name, None if value == "" else value) for name, value in changes.items())


def _unit_amounts(params: Mapping[str, Any]) -> Object:
    given = [params[name] for name in ("unit_amount", "unit_amount_decimal") if name in params]
    if len(given) != 1:
        raise wrong("You must give either `unit_amount` or `unit_amount_decimal`.", "unit_amount", "parameter_missing")
    return _both("unit_amount", Decimal(given[0]))


def _both(prefix: str, amount: Decimal | None) -> Object:
    """Both spellings of an amount: the whole number only where it is one."""
    if amount is None:
        return {prefix: None, f"{prefix}_decimal": None}
    whole = int(amount) if amount == amount.to_integral_value() else None
    return {prefix: whole, f"{prefix}_decimal": plain(amount)}


def _tiers(params: Mapping[str, Any]) -> list[Object]:
    if params.get("tiers_mode") is None:
        raise wrong("Missing required param: tiers_mode.", "tiers_mode", "parameter_missing")
    if params.get("transform_quantity"):
        raise wrong("`transform_quantity` can't be used with tiers.", "transform_quantity")
    tiers = params.get("tiers") or []
    bounds = [None if tier["up_to"] == "inf" else tier["up_to"] for tier in tiers]
    if not tiers or bounds[-1] is not None or None in bounds[:-1]:
        raise wrong("The last tier, and no other, must be `up_to=inf`.", "tiers")
    if bounds[:-1] != sorted({bound for bound in bounds[:-1] if bound is not None and bound > 0}):
        raise wrong("`up_to` must rise from tier to tier.", "tiers")
    return [_tier(tier, bound) for tier, bound in zip(tiers, bounds, strict=True)]


def _tier(tier: Mapping[str, Any], up_to: int | None) -> Object:
    made: Object = {"up_to": up_to}
    for prefix in ("unit_amount", "flat_amount"):
        given = tier.get(f"{prefix}_decimal", tier.get(prefix))
        made.update(_both(prefix, None if given is None else Decimal(given)))
    if made["unit_amount_decimal"] is None and made["flat_amount_decimal"] is None:
        raise wrong("A tier must have a unit amount or a flat amount.", "tiers")
    return made


_PRICE = (
    "active", "billing_scheme", "currency", "lookup_key", "metadata", "nickname", "product", "product_data",
    "recurring", "tax_behavior", "tiers", "tiers_mode", "transfer_lookup_key", "transform_quantity", "unit_amount",
    "unit_amount_decimal",
)  # fmt: skip
