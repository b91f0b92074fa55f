"""Forms as Stripe's clients write them: `tiers[0][up_to]=100&metadata[a]=b&expand[]=tiers`."""

from typing import Any
from urllib.parse import parse_qsl

from tallystick.integrations.stripe.fake.schema import Violation

MAX_FIELDS = 20_000


def decode(form: bytes) -> dict[str, Any]:
    """The tree that a form's names spell. Leaves are text; `[]` gathers a list.

    Raises:
        Violation: a name is not well-formed, comes twice, or is a value and a tree at once.
    """
    tree: dict[str, Any] = {}
    try:
        fields = parse_qsl(
            form.decode(), keep_blank_values=True, strict_parsing=bool(form), errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise Violation("", None, "The body is not a form") from None
    for name, value in fields:
        _put(tree, name, value)
    return tree


def _put(tree: dict[str, Any], name: str, value: str) -> None:
    first, *rest = _steps(name)
    node: Any = tree
    key = first
    for step in rest:
        node = node.setdefault(key, [] if step == "" else {})
        if not isinstance(node, list if step == "" else dict):
            raise Violation(name, None, f"Invalid object: {name}")
        key = step
    if isinstance(node, list):
        node.append(value)
    elif key in node:
        raise Violation(name, None, f"The parameter {name} comes more than once")
    else:
        node[key] = value


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if not head or (bracket and not rest.endswith("]")):
        raise Violation(name, None, f"Invalid parameter name: {name}")
    steps = [head, *rest[:-1].split("][")] if bracket else [head]
    if "" in steps[1:-1]:  # an object inside a list without a number belongs to no certain item
        raise Violation(name, None, f"Invalid parameter name: {name}; number the items of a list")
    return steps
