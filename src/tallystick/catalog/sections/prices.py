"""The prices of a plan.

What a price model needs is the model's own to say (`tallystick.pricing`); its complaints are given the
line of the key they name. Checked here is what a file can get wrong besides: the order of the tiers,
and the history that several prices of one metric form.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from tallystick.catalog.errors import Position
from tallystick.catalog.models import PriceEntry, instant_text
from tallystick.catalog.place import Fields, Place, Refused, suggestion
from tallystick.catalog.reader import Node
from tallystick.catalog.sections.tiers import check_bounds
from tallystick.core.errors import InvalidInput
from tallystick.pricing import MODELS, Price

_KEYS = ("metric", "model", "currency", "effective_from")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"is not known here; allowed: (?P<allowed>.+)")
_HINTS = {"effective_to": "is not known here; a price holds until the next one of its metric begins"}
_STAND_IN = "1"

Path = list[str | int]


class PlanTerms(NamedTuple):
    """What the prices of one plan are checked against."""

    currency: str | None
    metrics: Collection[str]


def read_prices(section: Place, terms: PlanTerms) -> tuple[PriceEntry, ...]:
    """The prices of a plan, in the order of the file."""
    entries = section.each(lambda place: _read_price(place, terms))
    _refuse_duplicates(entries, section)
    return tuple(entries)


def _read_price(place: Place, terms: PlanTerms) -> PriceEntry | None:
    """One price; None where its metric or model is not known, so that nothing more can be said."""
    fields = place.fields()
    metric = fields.need("metric", lambda value: value.one_of(terms.metrics, "metric"))
    model = fields.need("model", lambda value: value.one_of(MODELS, "price model"))
    currency = fields.read("currency", lambda value: _same_currency(value, terms.currency))
    effective_from = fields.read("effective_from", Place.instant)
    if model is None:
        return None
    draft = _Draft(fields, model, currency or terms.currency or "USD")
    price = draft.build(metric or "")
    return PriceEntry(price, effective_from, fields.origin) if price and metric else None


def _same_currency(place: Place, expected: str | None) -> str:
    currency = place.currency()
    if expected and currency != expected:
        raise Refused(f"must be {expected}, the currency of the plan; another currency needs another plan")
    return currency


class _Draft:
    """The numbers of one price on their way into a `Price`, which checks them.

    It reports one problem at a time. So that all are heard, the value that was refused is replaced by
    one that fits, or is taken out, and the price is built again.
    """

    def __init__(self, fields: Fields, model: str, currency: str) -> None:
        self._fields = fields
        self._model = model
        self._currency = currency
        self._parameters = {key: _plain(fields.get(key)) for key in fields.keys if key not in _KEYS}
        self._refusals: dict[str, int] = {}
        fields.read("tiers", self._settle_bounds)

    def build(self, metric: str) -> Price | None:
        """The price; a stand-in or None where problems were noted."""
        while True:
            try:
                return Price.from_parameters(metric, self._model, self._currency, self._parameters)
            except InvalidInput as error:
                if not self._go_on_without(error):
                    return None

    def _settle_bounds(self, tiers: Place) -> None:
        """Check the tiers' bounds; wrong ones are replaced, so that pricing goes on to look at the rest."""
        drafts = self._parameters["tiers"]
        if not isinstance(drafts, list):
            return
        fit = check_bounds(tiers)
        for i, tier in enumerate(drafts, 1):
            if isinstance(tier, dict):
                tier.pop("from", None)
                if i == len(drafts):
                    tier.pop("up_to", None)
                elif not fit:
                    tier["up_to"] = str(i)

    def _go_on_without(self, error: InvalidInput) -> bool:
        """Note what is wrong and put something else in its place; False when that has been tried."""
        field = error.field or ""
        times = self._refusals[field] = self._refusals.get(field, 0) + 1
        path = self._path(field)
        if times == 1:
            self._note(path, field, str(error))
        return times <= 2 and self._replace(path, drop=times == 2)

    def _path(self, field: str) -> Path:
        if field in self._parameters:
            return [field]
        return [int(index) if index else key for key, index in _STEP.findall(field)]

    def _replace(self, path: Path, *, drop: bool) -> bool:
        parent: Any = self._parameters
        try:
            for step in path[:-1]:
                parent = parent[step]
        except (LookupError, TypeError):  # a key of the user's that only looks like a path
            return False
        if not path or not isinstance(parent, dict):
            return False
        if drop:
            return parent.pop(path[-1], None) is not None
        parent[path[-1]] = _STAND_IN
        return True

    def _note(self, path: Path, field: str, message: str) -> None:
        price = self._fields.place
        key = f"{price.path}.{field}" if field else price.path
        message = message.removeprefix(field).lstrip(": ").removeprefix("is wrong: ")
        Place(_deepest(self._fields, path), key, price.problems).refuse(_reworded(path, message))


def _deepest(fields: Fields, path: Path) -> Node:
    """The value at the path, or the innermost one around it that is there."""
    place = fields.get(str(path[0])) if path else None
    if place is None:
        return fields.at(str(path[0])).node if path else fields.place.node
    node = place.node
    for step in path[1:]:
        inner = node.value
        if isinstance(inner, Mapping) and step in inner:
            node = inner[str(step)].node
        elif isinstance(inner, list) and isinstance(step, int) and step < len(inner):
            node = inner[step]
    return node


def _reworded(path: Path, message: str) -> str:
    """The message, with a suggestion where a key is not known."""
    unknown = _UNKNOWN_KEY.fullmatch(message)
    if not unknown:
        return message
    key, ours = str(path[-1]), _KEYS if len(path) == 1 else ("from",)
    return _HINTS.get(key) or f"is not known here{suggestion(key, [*unknown['allowed'].split(', '), *ours])}"


def _plain(place: Place | None) -> Any:
    """The value with nothing about where it stands; whoever gets it may change it."""
    return None if place is None else _value(place.node)


def _value(node: Node) -> Any:
    if isinstance(node.value, Mapping):
        return {key: _value(entry.node) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [_value(item) for item in node.value]
    return node.value


def _refuse_duplicates(entries: Sequence[PriceEntry], section: Place) -> None:
    seen: dict[tuple[str, datetime | None], Position] = {}
    for entry in entries:
        here = entry.origin.of("effective_from")
        first = seen.setdefault((entry.price.metric, entry.effective_from), here)
        if first.key != here.key:
            message = _duplicate(entry.price.metric, entry.effective_from, first.line)
            section.problems.add(here.line, here.column, here.key, message)


def _duplicate(metric: str, instant: datetime | None, line: int) -> str:
    if instant is None:
        return f"{metric} has one without effective_from in line {line} already; say from when this one holds"
    return f"{metric} has a price from {instant_text(instant)} in line {line} already"
