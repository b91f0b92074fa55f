"""The steps that made an amount, in words.

A step is what the rating left in the statement: `kind`, `quantity`, `unit_price`, `amount`, and what the kind
needs besides (`tier`, `start`, `end`, `setting`, `label`). A kind that has no words of its own is shown by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.billing.invoices.models import InvoiceLine
from tallystick.billing.invoices.rendering.localise import NO_BREAK, Localiser
from tallystick.billing.invoices.rendering.words import Words
from tallystick.core.money import EXACT

HUNDRED = Decimal(100)

MONEY_SETTINGS = frozenset(
    "event_minimum event_maximum amount_discount maximum minimum true_up commitment discount".split()
)
"""Kinds of steps whose setting is an amount."""

SAYS_ALL = frozenset({"flat_fee", "discount"})
"""A single step of these kinds says nothing that its line does not say."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step as it is printed: what it did, how it was computed, what it came to. Empty where that says nothing."""

    text: str
    formula: str
    amount: str


def step_views(line: InvoiceLine, localiser: Localiser, words: Words) -> list[StepView]:
    """The steps of a line; none where the line alone says as much."""
    if len(line.steps) == 1 and line.steps[0].get("kind") in SAYS_ALL and line.steps[0].get("tier") is None:
        return []
    return [_view(step, line.currency, localiser, words) for step in line.steps]


def _view(step: Mapping[str, Any], currency: str, localiser: Localiser, words: Words) -> StepView:
    amount, price = _decimal(step, "amount") or Decimal(0), _decimal(step, "unit_price")
    shown = localiser.exact_money(amount, currency) if amount or price else ""
    return StepView(_text(step, currency, localiser, words), _formula(step, currency, localiser), shown)


def _text(step: Mapping[str, Any], currency: str, localiser: Localiser, words: Words) -> str:
    kind, label = str(step.get("kind", "")), step.get("label")
    slots = {
        "tier": str((step.get("tier") or 0) + 1),
        "start": _quantity(step, "start", localiser),
        "end": _quantity(step, "end", localiser),
        "quantity": _quantity(step, "quantity", localiser),
        "setting": _setting(kind, step, currency, localiser),
        "label": str(label or ""),
        "share": _share(step, localiser),
    }
    text = words.find("steps", _key(kind, step), **slots) or kind.replace("_", " ").capitalize()
    return text if not label or kind in ("filter", "conversion") else f"{label}: {text}"


def _key(kind: str, step: Mapping[str, Any]) -> str:
    """Which words a step takes: a tier's bounds are said in three ways, a fixed fee of a tier by the tier."""
    if kind == "tier" and step.get("end") is None:
        return "tier_last"
    return "tier_first" if kind == "tier" and not _decimal(step, "start") else kind


def _formula(step: Mapping[str, Any], currency: str, localiser: Localiser) -> str:
    quantity, price = _decimal(step, "quantity"), _decimal(step, "unit_price")
    if quantity is None or not price or step.get("kind") == "flat_fee":
        return ""
    times = f"{localiser.quantity(quantity)} ×{NO_BREAK}"
    if step.get("kind") == "percentage":
        return times + localiser.percent(EXACT.multiply(price, HUNDRED), 18)
    if step.get("kind") == "dynamic":
        return times + localiser.number(price)
    return times + localiser.price(price, currency)


def _setting(kind: str, step: Mapping[str, Any], currency: str, localiser: Localiser) -> str:
    setting = _decimal(step, "setting")
    if setting is None:
        return ""
    return localiser.exact_money(setting, currency) if kind in MONEY_SETTINGS else localiser.quantity(setting)


def _share(step: Mapping[str, Any], localiser: Localiser) -> str:
    part, whole = _decimal(step, "quantity"), _decimal(step, "setting")
    if step.get("kind") != "proration" or not part or not whole:
        return ""
    return localiser.percent(EXACT.divide(EXACT.multiply(part, HUNDRED), whole), 4)


def _quantity(step: Mapping[str, Any], key: str, localiser: Localiser) -> str:
    number = _decimal(step, key)
    return "" if number is None else localiser.quantity(number)


def _decimal(step: Mapping[str, Any], key: str) -> Decimal | None:
    value = step.get(key)
    return None if value is None else Decimal(str(value))
