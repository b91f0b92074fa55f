"""The bounds of tiers: they must lead from zero to infinity without a gap or an overlap."""

from decimal import Decimal

from tallystick.catalog.place import Fields, Place, Refused
from tallystick.core.money import ZERO, plain

_OPEN = ("inf", "infinity", ".inf")


def check_bounds(tiers: Place) -> bool:
    """Note every bound that does not fit to the one before it; whether all of them do.

    A tier holds the usage above the bound before it and up to its own. `from` may be written for
    the reader; it has to say the same.
    """
    noted = len(tiers.problems)
    items = tiers.items()
    start: Decimal | None = ZERO
    for i, item in enumerate(items):
        if isinstance(item.node.value, dict):
            start = _check_tier(item.fields(), start, last=i == len(items) - 1)
    return len(tiers.problems) == noted


def _check_tier(fields: Fields, start: Decimal | None, *, last: bool) -> Decimal | None:
    """Check one tier that begins at `start` (None: not known, an earlier one is wrong); give its end."""
    fields.read("from", lambda value: _check_from(value, start))
    if not fields.given("up_to"):
        if not last:
            fields.at("up_to").refuse("is required: only the last tier has no upper bound")
        return None
    if last:
        return fields.read("up_to", _must_be_open)
    return fields.read("up_to", lambda value: _check_end(value, start))


def _check_from(value: Place, start: Decimal | None) -> None:
    number = value.number()
    if start is None or number == start:
        return
    fault = "overlaps the tier before it" if number < start else "leaves a gap"
    raise Refused(f"{fault}: must be {plain(start)}{', the bound before it' if start else ''}")


def _check_end(value: Place, start: Decimal | None) -> Decimal:
    if _is_open(value):
        raise Refused("must be a number: only the last tier has no upper bound")
    number = value.number()
    if start is not None and number <= start:
        raise Refused(f"must be above {plain(start)}{', the bound before it' if start else ''}")
    return number


def _must_be_open(value: Place) -> None:
    if not _is_open(value):
        raise Refused(f"must be left out: usage above {plain(value.number())} would have no price")


def _is_open(value: Place) -> bool:
    return value.node.text.lower() in _OPEN
