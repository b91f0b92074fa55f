"""Taxes: which one a line bears is a rule that can be replaced; what they come to is computed here.

A tax is taken of what is left to pay of its lines (what is billed less what prepaid credit pays) and rounded
once for the document, half away from zero, as EN 16931 has it: not line by line.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from tallystick.billing.invoices.models import NO_MONEY, InvoiceLine, Tax, TaxLine
from tallystick.catalog.rules import TaxRate
from tallystick.core.money import EXACT, round_money

PERCENT = Decimal("0.01")


class Taxable(NamedTuple):
    """A line in search of its tax: whose it is, what the team's metadata says, and the metric that is charged."""

    team_id: str
    metadata: Mapping[str, Any]
    metric: str | None


TaxRule = Callable[[Taxable], Tax | None]
"""Says which tax a line bears; None: none."""


def by_table(rates: Sequence[TaxRate]) -> TaxRule:
    """The rule of the billing file: of the rates that fit a line, the first one."""

    def rule(line: Taxable) -> Tax | None:
        return next((Tax(rate.name, rate.percent) for rate in rates if _fits(rate, line)), None)

    return rule


def _fits(rate: TaxRate, line: Taxable) -> bool:
    return (
        (not rate.teams or line.team_id in rate.teams)
        and (not rate.metrics or line.metric in rate.metrics)
        and all(_text(line.metadata.get(key)) in values for key, values in rate.metadata.items())
    )


def _text(value: Any) -> str | None:
    """A metadata value as a billing file writes it; None: it is not there."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def tax_lines(lines: Sequence[InvoiceLine], currency: str) -> tuple[TaxLine, ...]:
    """The taxes of a document, in the order in which its lines name them."""
    bases: dict[Tax, Decimal] = {}
    for line in lines:
        if line.tax is not None and line.billed is not None:
            bases[line.tax] = EXACT.add(bases.get(line.tax, NO_MONEY), line.net)
    return tuple(TaxLine(*tax, base, tax_on(base, tax, currency)) for tax, base in bases.items())


def tax_on(base: Decimal, tax: Tax, currency: str) -> Decimal:
    """The tax on an amount, rounded once to the currency."""
    return round_money(reduce(EXACT.multiply, (base, tax.percent, PERCENT)), currency)
