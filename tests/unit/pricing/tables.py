"""The tables of cases: `cases/<model>.yaml` is a price model's, `cases/stages.yaml` what is common to all.

Scalars are read as text, so that a table's numbers are exact.
"""

from pathlib import Path
from typing import Any

import yaml

from tallystick.pricing import Price

TABLES: dict[str, dict[str, Any]] = {
    path.stem: yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506 - makes nothing but text
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
}


def price_of(table: str, parameters: dict[str, Any]) -> Price:
    """The price of a table's entry: of the table's model, and in USD, unless the entry says otherwise."""
    numbers = dict(parameters)
    model, currency = numbers.pop("model", table), numbers.pop("currency", "USD")
    return Price.from_parameters("calls", model, currency, numbers)


PRICES = [price_of(name, entry["price"]) for name, table in TABLES.items() for entry in table["rates"]]
"""Every price of the tables: of each model some."""
