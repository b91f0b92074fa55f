"""Stripe's own description of its API: which operations there are, what they take, and what they answer.

The file beside this one is a subset of Stripe's OpenAPI document (MIT licence, see its notice). A request is read by
it before the fake looks at it, and every answer of the fake is read by it before it is sent.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias

import msgspec

from tallystick.integrations.stripe.fake.schema import Reader, Schema, Schemas

Object: TypeAlias = dict[str, Any]

_METHODS = ("get", "post", "delete")


class Operation(NamedTuple):
    """One thing that the API can do.

    Attributes:
        name: method and path as the description spells them: `POST /v1/billing/meters/{id}`.
        read: takes a request's parameters apart, from a query or form where the API is v1, from JSON where it is v2.
        check: reads an answer that says it was done.
        check_error: reads one that says it was not.
        in_query: parameters are expected in the query.
    """

    name: str
    read: Reader
    check: Reader
    check_error: Reader
    in_query: bool

    @property
    def is_v2(self) -> bool:
        """Version 2 of the API speaks JSON, and remembers idempotency keys in another way."""
        return " /v2/" in self.name


class Found(NamedTuple):
    """The operation that a path names, and the identities in the path."""

    operation: Operation
    ids: dict[str, str]


class Description:
    """The operations of a document, found by method and path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components: Mapping[str, Schema] = document["components"]["schemas"]
        self._operations: dict[str, dict[str, Any]] = {}
        self._made: dict[str, Operation] = {}
        self._paths: Object = {}
        for path, methods in document["paths"].items():
            for method in _METHODS:
                if method in methods:
                    self._operations[f"{method.upper()} {path}"] = methods[method]
                    self._add(method.upper(), path)

    @property
    def names(self) -> frozenset[str]:
        """Every operation of the document."""
        return frozenset(self._operations)

    def parameters(self, name: str) -> frozenset[str]:
        """The names of what an operation takes, besides what is in its path."""
        return frozenset(_taken(self._operations[name], name).get("properties", ()))

    def find(self, method: str, path: str) -> Found | None:
        """The operation of a request, if the description has it."""
        node = self._paths
        ids: dict[str, str] = {}
        for step in path.strip("/").split("/"):
            if step in node:
                node = node[step]
            elif (place := node.get("{}")) is not None and step:
                ids[place["{name}"]] = step
                node = place
            else:
                return None
        name = node.get(f"{{{method}}}")
        return Found(self.operation(name), ids) if name else None

    def operation(self, name: str) -> Operation:
        """One operation. Its readers are made when it is first asked for.

        Raises:
            KeyError: there is none of that name.
        """
        if (made := self._made.get(name)) is None:
            made = self._made[name] = self._make(name)
        return made

    def _add(self, method: str, path: str) -> None:
        node = self._paths
        for step in path.strip("/").split("/"):
            node = node.setdefault("{}" if step.startswith("{") else step, {})
            if step.startswith("{"):
                node["{name}"] = step[1:-1]
        node[f"{{{method}}}"] = f"{method} {path}"

    def _make(self, name: str) -> Operation:
        described = self._operations[name]
        is_v2, in_query = " /v2/" in name, not name.startswith("POST")
        answers = Schemas(self._components)
        return Operation(
            name=name,
            read=Schemas(self._components, forms=in_query or not is_v2).reader(_taken(described, name)),
            check=answers.reader(_answered(described, "200")),
            check_error=answers.reader(_answered(described, "default")),
            in_query=in_query,
        )


@cache
def stripe() -> Description:
    """The subset of Stripe's description that is kept here."""
    text = files(__package__).joinpath("stripe_openapi_subset.json").read_bytes()
    return Description(msgspec.json.decode(text))


def _taken(described: Mapping[str, Any], name: str) -> Schema:
    """One closed object of everything that an operation takes in its query or body."""
    query = [each for each in described.get("parameters", ()) if each["in"] == "query"]
    body = [content["schema"] for content in described.get("requestBody", {}).get("content", {}).values()]
    taken = body[0] if body and not name.startswith("GET") else {}
    return {
        "type": "object",
        "properties": {**taken.get("properties", {}), **{each["name"]: each["schema"] for each in query}},
        "required": [*taken.get("required", ()), *(each["name"] for each in query if each.get("required"))],
        "additionalProperties": False,
    }


def _answered(described: Mapping[str, Any], status: str) -> Schema:
    schema: Schema = described["responses"][status]["content"]["application/json"]["schema"]
    return schema
