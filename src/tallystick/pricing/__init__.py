"""Prices, tiers and the rating function: pure, no I/O; one file per price model.

    price = Price.from_parameters("api_calls", "per_unit", "USD", {"unit_price": "0.001"})
    charge = rate(price, Decimal(1500))     # amount 1.500, with its steps
    charge.total("USD")                     # 1.50

A price that is wrong can't be built, an amount is never rounded on the way, and its steps sum to it.
"""

from tallystick.pricing.adjustments import Commitment, Discount
from tallystick.pricing.conversion import Conversion
from tallystick.pricing.models import (
    SCHEDULE,
    Cell,
    Charge,
    Measure,
    PriceModel,
    Step,
    Tier,
    Used,
    charge_as_json,
)
from tallystick.pricing.price import Price
from tallystick.pricing.price_models import MODELS
from tallystick.pricing.rating import marginal, rate
from tallystick.pricing.schedule import Schedule

__all__ = [
    "MODELS",
    "SCHEDULE",
    "Cell",
    "Charge",
    "Commitment",
    "Conversion",
    "Discount",
    "Measure",
    "Price",
    "PriceModel",
    "Schedule",
    "Step",
    "Tier",
    "Used",
    "charge_as_json",
    "marginal",
    "rate",
]
