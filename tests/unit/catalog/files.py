"""Short billing files for tests."""

from tallystick.catalog.errors import CatalogueError
from tallystick.catalog.loading import parse
from tallystick.catalog.models import Catalogue

METRICS = """\
version: 1
currency: USD
metrics:
  api_calls: {event: api_call, aggregation: sum, unit: call}
  storage: {event: stored, aggregation: time_weighted, value_unit: GB}
"""


def metric(**keys: str) -> str:
    """A file with the metric `m`, whose keys are given as YAML text."""
    given = {"event": "e", "aggregation": "sum", "unit": "u", **keys}
    lines = "".join(f"    {key}: {text}\n" for key, text in given.items() if text)
    return f"version: 1\nmetrics:\n  m:\n{lines}"


def prices(*entries: str) -> str:
    """A file with the plan `standard` and these prices, from line 9 on."""
    lines = "".join(f"      - {entry}\n" for entry in entries)
    return f"{METRICS}plans:\n  standard:\n    prices:\n{lines}"


def problems_of(source: str) -> list[str]:
    """What is wrong with the file, a line each."""
    try:
        parse(source, "f.yaml")
    except CatalogueError as error:
        return str(error).split("\n")
    return []


def definition(**keys: str):
    """The definition of the metric `m` of a file."""
    return parse(metric(**keys)).metrics["m"].definition


def price_of(entry: str):
    """The price of a file with this one price."""
    catalogue: Catalogue = parse(prices(entry))
    return catalogue.plans["standard"].prices[0].price
