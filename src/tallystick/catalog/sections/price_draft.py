"""One price of the file on its way into a `Price`, which checks it and whose complaints are given their lines."""

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from tallystick.catalog.place import Fields, Place, suggestion
from tallystick.catalog.reader import Entry, Node
from tallystick.catalog.sections.metrics import dimension_path
from tallystick.catalog.sections.tiers import check_bounds
from tallystick.core.errors import InvalidInput
from tallystick.pricing import Price

OWN_KEYS = ("metric", "name", "model", "currency", "effective_from", "effective_to", "description")
"""Keys of a price that say what is priced, and when: not how."""

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_UNKNOWN_KEY = re.compile(r"is not known here; allowed: (?P<allowed>.+)")
_STAND_IN = "1"
_DECIDES_RATES = ("dimensions", "schedule")
_READ_WHERE_GIVEN = ("discounts",)
_MOST_ATTEMPTS = 500

Path = list[str | int]


class PriceDraft:
    """The terms of one price on their way into a `Price`, which checks them.

    It reports one problem at a time. So that all are heard, the value that was refused is replaced by
    one that fits, or is taken out, and the price is built again.
    """

    def __init__(self, fields: Fields, name: str | None, model: str, currency: str) -> None:
        self._fields = fields
        self._model = model
        self._currency = currency
        self._parameters = {key: _plain(fields.get(key)) for key in fields.keys if key not in OWN_KEYS}
        if name:
            self._parameters["name"] = name
        self._refusals: dict[str, int] = {}
        self._dropped: list[str] = []
        for place, draft in _tiers(fields, self._parameters):
            place.attempt(partial(_settle_bounds, drafts=draft))
        _name_dimensions(fields, self._parameters)

    def without(self, keys: Collection[str]) -> "PriceDraft":
        """The draft without keys that were refused already."""
        self._parameters = {key: value for key, value in self._parameters.items() if key not in keys}
        return self

    def build(self, metric: str | None) -> Price | None:
        """The price; a stand-in or None where problems were noted."""
        for _ in range(_MOST_ATTEMPTS):
            try:
                return Price.from_parameters(metric, self._model, self._currency, self._parameters)
            except InvalidInput as error:
                if not self._go_on_without(error):
                    return None
        return None

    def _go_on_without(self, error: InvalidInput) -> bool:
        """Note what is wrong and put something else in its place; False when that has been tried."""
        field = error.field or ""
        times = self._refusals[field] = self._refusals.get(field, 0) + 1
        path = self._path(field)
        if times == 1 and not any(dropped.startswith(field) for dropped in self._dropped) and not self._follows(path):
            self._note(path, field, str(error))
        if times == 2:
            self._dropped.append(field)  # what surrounds it is not to blame for the hole
        return times <= 2 and self._replace(path, drop=times == 2)

    def _follows(self, path: Path) -> bool:
        """Whether it may be a rate's only because what its values are of was refused, and replaced."""
        undecided = any(field.startswith(_DECIDES_RATES) for field in self._refusals)
        return undecided and bool(path) and path[0] in ("rates", "default")

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


def _tiers(fields: Fields, parameters: dict[str, Any]) -> Iterator[tuple[Place, list[Any]]]:
    """Every list of tiers of the price: its own, and those of the rates of a matrix; with the draft of each."""
    for place, draft in _holders(fields, parameters):
        tiers = place.fields().get("tiers") if isinstance(place.node.value, Mapping) else None
        if tiers and isinstance(draft, dict) and isinstance(draft.get("tiers"), list):
            yield tiers, draft["tiers"]
        elif tiers:
            tiers.refuse("must be a list")


def _holders(fields: Fields, parameters: dict[str, Any]) -> Iterator[tuple[Place, Any]]:
    yield fields.place, parameters
    default, rates = fields.get("default"), fields.get("rates")
    if default:
        yield default, parameters["default"]
    if rates and isinstance(rates.node.value, list):
        yield from zip(rates.items(), parameters["rates"], strict=True)
    elif rates and isinstance(rates.node.value, Mapping):
        yield from ((place, parameters["rates"][name]) for name, _, place in rates.entries())


def _settle_bounds(tiers: Place, drafts: list[Any]) -> None:
    """Check the tiers' bounds; wrong ones are replaced, so that pricing goes on to look at the rest."""
    fit = check_bounds(tiers)
    for i, tier in enumerate(drafts, 1):
        if isinstance(tier, dict):
            tier.pop("from", None)
            if i == len(drafts):
                tier.pop("up_to", None)
            elif not fit:
                tier["up_to"] = str(i)


def _name_dimensions(fields: Fields, parameters: dict[str, Any]) -> None:
    """Name dimensions as metrics do (`metadata.region` is `region`), and compare their values as text."""
    where, dimensions, rates = fields.get("where"), fields.get("dimensions"), fields.get("rates")
    if where and isinstance(where.node.value, Mapping):
        parameters["where"] = _by_dimension(where.node.value, None)
    named = set()
    if dimensions and isinstance(dimensions.node.value, list):
        named = {dimension_path(item.node.text) for item in dimensions.items()}
        given = parameters["dimensions"]
        parameters["dimensions"] = [dimension_path(each) if isinstance(each, str) else each for each in given]
    if rates and isinstance(rates.node.value, list):
        for rate, draft in zip(rates.items(), parameters["rates"], strict=True):
            if isinstance(rate.node.value, Mapping):
                _rename(draft, _by_dimension(rate.node.value, named))
                where = rate.fields().get("where")
                if where and isinstance(where.node.value, Mapping):
                    draft["where"] = _by_dimension(where.node.value, None)


def _rename(draft: dict[str, Any], texts: Mapping[str, Any]) -> None:
    for key in [key for key in draft if dimension_path(key) in texts]:
        draft.pop(key)
    draft.update(texts)


def _by_dimension(values: Mapping[str, Entry], named: Collection[str] | None) -> dict[str, Any]:
    """The values under keys that are dimensions, as text; of no names: under all keys."""
    paths = {dimension_path(key): entry.node for key, entry in values.items()}
    return {path: _texts(node) for path, node in paths.items() if named is None or path in named}


def _texts(node: Node) -> Any:
    """A value, or a list of values, as the texts that the values of events are compared by."""
    if isinstance(node.value, list):
        return [_texts(item) for item in node.value]
    if isinstance(node.value, bool):
        return str(node.value).lower()
    return node.text if isinstance(node.value, Decimal) else _value(node)


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
    ours = (*OWN_KEYS, *_READ_WHERE_GIVEN) if len(path) == 1 else ("from",) if "tiers" in path else ()
    known = {*unknown["allowed"].split(", "), *ours} - ({"scope"} if "discounts" in path else set())
    return f"is not known here{suggestion(str(path[-1]), known)}"


def _plain(place: Place | None) -> Any:
    """The value with nothing about where it stands; whoever gets it may change it."""
    return None if place is None else _value(place.node)


def _value(node: Node) -> Any:
    if isinstance(node.value, Mapping):
        return {key: _value(entry.node) for key, entry in node.value.items()}
    if isinstance(node.value, list):
        return [_value(item) for item in node.value]
    return node.value
