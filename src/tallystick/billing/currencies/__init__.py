"""Currencies: what one was worth in another on a day, by whose word, and amounts converted at it."""

from tallystick.billing.currencies.models import Conversion, NoExchangeRate, Pair, Rate
from tallystick.billing.currencies.rates import Rates
from tallystick.billing.currencies.store import rates_for

__all__ = ["Conversion", "NoExchangeRate", "Pair", "Rate", "Rates", "rates_for"]
