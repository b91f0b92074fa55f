"""The tables of cases: `cases/<model>.yaml` is a price model's, the others are of what all prices have in common.

Scalars are read as text, so that a table's numbers are exact. A case says what was used:

    usage: 12.5                           the quantity
    amounts: [10, 80]                     the amount of each event; the quantity is their sum
    events: 3                             how many events made the quantity
    cells: {"eu/small": 10, "us/": 2.5}   the usage by values of the dimensions; nothing is no value
    open: true                            the period is not over
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tallystick.pricing import Cell, Price, Used
from tallystick.pricing.exact import total

TABLES: dict[str, dict[str, Any]] = {
    path.stem: yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but text
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
}

DAY = Decimal(86_400)


def price_of(table: str, parameters: dict[str, Any]) -> Price:
    """The price of a table's entry: of the table's model, and in USD, unless the entry says otherwise.

    `fee: true` makes a fee of it, and `days: [14, 31]` prorates it.
    """
    numbers = dict(parameters)
    model, currency = numbers.pop("model", table), numbers.pop("currency", "USD")
    metric, days = None if numbers.pop("fee", "") else "calls", numbers.pop("days", None)
    price = Price.from_parameters(metric, model, currency, numbers)
    return price.prorated(*(Decimal(count) * DAY for count in days)) if days else price


def used_of(case: dict[str, Any]) -> Used:
    """What a case says was used."""
    final = "open" not in case
    if "amounts" in case:
        amounts = tuple(map(Decimal, case["amounts"]))
        return Used(total(amounts), len(amounts), amounts, final=final)
    cells = tuple(_cell(values, usage) for values, usage in case.get("cells", {}).items())
    quantity = Decimal(case["usage"]) if "usage" in case else total(cell.used.quantity for cell in cells)
    return Used(quantity, int(case.get("events", 0)), cells=cells, final=final)


def _cell(values: str, usage: Any) -> Cell:
    used = used_of({"amounts": usage} if isinstance(usage, list) else {"usage": usage})
    return Cell(tuple(value or None for value in values.split("/")), used)


PRICES = [price_of(name, entry["price"]) for name, table in TABLES.items() for entry in table["rates"]]
"""Every price of the tables: of each model some."""
