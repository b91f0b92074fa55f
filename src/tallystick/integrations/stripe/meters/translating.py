"""A price of the catalogue in Stripe's words, where it has words for it. Pure.

Stripe knows a price per unit, graduated tiers, tiers by volume and packages, in minor units with twelve decimals. It
rounds each line for itself, and tiers one by one, so bills of its own may differ from ours by minor units. Whatever
else a price has (filters, minimums, discounts, commitments, schedules), it can't do: such plans are billed by items.
"""

import hashlib
import json
from decimal import Decimal
from typing import Any, NamedTuple

from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.money import EXACT, plain
from tallystick.integrations.stripe.amounts import exponent
from tallystick.pricing import Measure, Price, Tier
from tallystick.pricing.price_models.package import Package

DECIMALS = 12
INTERVALS = {PeriodUnit.DAY: ("day", 1), PeriodUnit.WEEK: ("week", 1), PeriodUnit.MONTH: ("month", 1),
             PeriodUnit.QUARTER: ("month", 3), PeriodUnit.YEAR: ("year", 1)}  # fmt: skip
TIERED = {"graduated", "volume"}


class CannotTranslate(Exception):
    """Stripe has no words for a price; the message says which part of it."""


class Translated(NamedTuple):
    """A price in Stripe's words, without its meter.

    Attributes:
        lookup_key: by which it is found again; another price has another.
        params: of the call that makes it.
    """

    lookup_key: str
    params: dict[str, Any]


def translated(plan: str, period: BillingPeriod, price: Price) -> Translated:
    """The price in Stripe's words.

    Raises:
        CannotTranslate: there are none.
    """
    _check(price)
    interval, times = INTERVALS[period.unit]
    params: dict[str, Any] = {
        "currency": price.currency.lower(),
        "nickname": f"{plan}: {price.label}",
        "recurring": {"interval": interval, "interval_count": times * period.every, "usage_type": "metered"},
        **_amounts(price),
    }
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:12]
    return Translated(f"tallystick:{plan}:{price.label}:{digest}"[:200], params)


def _check(price: Price) -> None:
    beyond = {
        "filters": price.where,
        "a minimum": price.minimum,
        "a maximum": price.maximum,
        "discounts": price.discounts,
        "a commitment": price.commitment,
        "a unit conversion": price.conversion,
        "a schedule": price.schedule,
        "a level's average or peak": price.measure is not Measure.TOTAL,
        "proration": price.prorate,
    }
    for what, given in beyond.items():
        if given:
            raise CannotTranslate(f"Stripe's prices have no {what.removeprefix('a ')}")
    if price.model not in TIERED | {"per_unit", "package"}:
        raise CannotTranslate(f"Stripe has no price model {price.model}")


def _amounts(price: Price) -> dict[str, Any]:
    if isinstance(price.terms, Package):
        return {**_packaged(price, price.terms)}
    tiers = _with_free_units(price)
    if price.model not in TIERED and len(tiers) == 1:
        return {"billing_scheme": "per_unit", "unit_amount_decimal": _minor(tiers[0].unit_price, price.currency)}
    mode = price.model if price.model in TIERED else "graduated"
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": [_tier(tier, price.currency) for tier in tiers]}


def _packaged(price: Price, terms: Package) -> dict[str, Any]:
    if price.free_units:
        raise CannotTranslate("Stripe's packages have no free units")
    unit = _minor(terms.package_price, price.currency)
    size = {"divide_by": _whole(terms.package_size, "package size"), "round": "up"}
    return {"billing_scheme": "per_unit", "unit_amount_decimal": unit, "transform_quantity": size}


def _with_free_units(price: Price) -> tuple[Tier, ...]:
    if not price.free_units:
        return price.tiers
    if price.model == "volume":
        raise CannotTranslate("Stripe's volume prices have no free units")
    free, zero = price.free_units, Decimal(0)
    moved = (
        Tier(EXACT.add(start, free), None if end is None else EXACT.add(end, free), unit, fee)
        for start, end, unit, fee in price.tiers
    )
    return (Tier(zero, free, zero, zero), *moved)


def _tier(tier: Tier, currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "up_to": "inf" if tier.end is None else _whole(tier.end, "tier's bound"),
        "unit_amount_decimal": _minor(tier.unit_price, currency),
    }
    if tier.flat_fee:
        found["flat_amount_decimal"] = _minor(tier.flat_fee, currency)
    return found


def _minor(amount: Decimal, currency: str) -> str:
    units = EXACT.scaleb(amount, exponent(currency))
    if units != units.quantize(Decimal(1).scaleb(-DECIMALS), context=EXACT):
        raise CannotTranslate(f"Stripe's prices have {DECIMALS} decimals of a minor unit at most")
    return plain(units)


def _whole(number: Decimal, what: str) -> int:
    if number != number.to_integral_value():
        raise CannotTranslate(f"a {what} is a whole number at Stripe")
    return int(number)
