"""Schemas of an API description as functions that read a value, and say where it is not what is described.

The subset of JSON Schema that Stripe's description uses. Objects whose properties are listed are closed: Stripe
refuses a parameter it does not know, and an answer with one that is not described would teach a client wrong.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Never, TypeAlias

Reader: TypeAlias = Callable[[Any, str], Any]
Schema: TypeAlias = Mapping[str, Any]

_INTEGER = re.compile(r"-?\d{1,19}")
_FORMATS = {
    "decimal": re.compile(r"-?\d+(\.\d{1,12})?"),  # plain notation, at most 12 places
    "currency": re.compile(r"[a-z]{3}"),
}
_REFERENCE = "#/components/schemas/"

MOST_WORDS = 20
"""Of an enumeration, in a message."""


class Violation(Exception):
    """A value is not what the description says.

    Attributes:
        where: the parameter, as a form names it: `tiers[0][up_to]`.
        code: Stripe's word for what is wrong, or None.
        message: one line for people.
    """

    def __init__(self, where: str, code: str | None, message: str) -> None:
        super().__init__(message)
        self.where = where
        self.code = code
        self.message = message


class Schemas:
    """Makes readers of schemas.

    Args:
        components: the schemas that others refer to by name.
        forms: values come from a form, so that numbers and booleans are text and arrays are objects with numbers
            for keys. A reader gives them back as what they are.
    """

    def __init__(self, components: Mapping[str, Schema], *, forms: bool = False) -> None:
        self._components = components
        self._forms = forms
        self._named: dict[str, Reader] = {}

    def reader(self, schema: Schema) -> Reader:
        """The function that reads values of a schema.

        Raises:
            Violation: on reading, for a value that is something else.
        """
        read = self._plain(schema)
        return _or_null(read) if schema.get("nullable") else read

    def _plain(self, schema: Schema) -> Reader:
        if "$ref" in schema:
            return self._referred(schema["$ref"].removeprefix(_REFERENCE))
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return _either([self.reader(each) for each in schema[word]])
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                return _string(schema)
            case kind:
                return self._scalar(kind)

    def _scalar(self, kind: str | None) -> Reader:
        if self._forms:
            return {"integer": _integer_text, "boolean": _boolean_text, "number": _number_text}.get(kind or "", _any)
        return {"integer": _integer, "boolean": _boolean, "number": _number}.get(kind or "", _any)

    def _referred(self, name: str) -> Reader:
        """Looked up when it is needed: schemas refer to each other in circles."""

        def read(value: Any, where: str) -> Any:
            if (reader := self._named.get(name)) is None:
                reader = self._named[name] = self.reader(self._components[name])
            return reader(value, where)

        return read

    def _object(self, schema: Schema) -> Reader:
        properties = {name: self.reader(each) for name, each in schema.get("properties", {}).items()}
        return _object(properties, schema.get("required", ()), self._others(schema))

    def _others(self, schema: Schema) -> Reader | None:
        """How properties without a schema of their own are read; None refuses them."""
        others = schema.get("additionalProperties", "properties" not in schema)
        if isinstance(others, bool):
            return _any if others else None
        return self.reader(others)

    def _array(self, schema: Schema) -> Reader:
        items = self.reader(schema["items"])
        return _array_of_form(items) if self._forms else _array(items)


def _refuse(where: str, what: str, value: Any) -> Never:
    raise Violation(where, None, f"Invalid {what}: {_shown(value)}")


def _shown(value: Any) -> str:
    return repr(value) if len(repr(value)) < 80 else f"{repr(value)[:77]}..."


def _any(value: Any, where: str) -> Any:  # noqa: ARG001 - a reader like the others
    return value


def _or_null(read: Reader) -> Reader:
    return lambda value, where: None if value is None else read(value, where)


def _integer(value: Any, where: str) -> Any:
    return value if type(value) is int else _refuse(where, "integer", value)


def _boolean(value: Any, where: str) -> Any:
    return value if type(value) is bool else _refuse(where, "boolean", value)


def _number(value: Any, where: str) -> Any:
    return value if type(value) in {int, float} else _refuse(where, "number", value)


def _integer_text(value: Any, where: str) -> Any:
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise Violation(where, "parameter_invalid_integer", f"Invalid integer: {_shown(value)}")
    return int(value)


def _boolean_text(value: Any, where: str) -> Any:
    return value == "true" if value in {"true", "false"} else _refuse(where, "boolean", value)


def _number_text(value: Any, where: str) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        _refuse(where, "number", value)
    return value


def _string(schema: Schema) -> Reader:
    checks = [*_limits(schema), *_forms(schema)]

    def read(value: Any, where: str) -> Any:
        if type(value) is not str:
            _refuse(where, "string", value)
        for check in checks:
            check(value, where)
        return value

    return read


def _limits(schema: Schema) -> list[Reader]:
    checks: list[Reader] = []
    if (most := schema.get("maxLength")) is not None:
        checks.append(lambda value, where: _refuse(where, f"string: at most {most} characters", value)
                      if len(value) > most else None)  # fmt: skip
    if words := frozenset(schema.get("enum", ())):
        checks.append(lambda value, where: None if value in words
                      else _refuse(where, f"{where}: must be one of {_some(words)}", value))  # fmt: skip
    return checks


def _some(words: Collection[str]) -> str:
    """Words, or the first of them where there are many."""
    shown = ", ".join(sorted(words)[:MOST_WORDS])
    return shown if len(words) <= MOST_WORDS else f"{shown}, … ({len(words)} in all)"


def _forms(schema: Schema) -> list[Reader]:
    checks: list[Reader] = []
    if pattern := schema.get("pattern"):
        described = re.compile(pattern)
        checks.append(lambda value, where: described.search(value) or _refuse(where, "string", value))
    if form := _FORMATS.get(schema.get("format", "")):
        checks.append(lambda value, where: form.fullmatch(value) or _refuse(where, schema["format"], value))
    if schema.get("format") == "date-time":
        checks.append(_instant)
    return checks


def _instant(value: Any, where: str) -> Any:
    try:
        aware = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        aware = False
    return aware or _refuse(where, "timestamp: RFC 3339 with an offset", value)


def _either(readers: Sequence[Reader]) -> Reader:
    """The first schema that fits; when none does, what the one that looked deepest has found."""

    def read(value: Any, where: str) -> Any:
        deepest: Violation | None = None
        for reader in readers:
            try:
                return reader(value, where)
            except Violation as violation:
                if deepest is None or len(violation.where) > len(deepest.where):
                    deepest = violation
        assert deepest
        raise deepest

    return read


def _object(properties: Mapping[str, Reader], required: Sequence[str], others: Reader | None) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            _refuse(where, "object", value)
        for name in required:
            if name not in value:
                _missing(_inside(where, name))
        found = {}
        for name, each in value.items():
            reader = properties.get(name, others)
            if reader is None:
                _unknown(_inside(where, name))
            else:
                found[name] = reader(each, _inside(where, name))
        return found

    return read


def _missing(where: str) -> Never:
    raise Violation(where, "parameter_missing", f"Missing required param: {where}.")


def _unknown(where: str) -> Never:
    raise Violation(where, "parameter_unknown", f"Received unknown parameter: {where}")


def _array(items: Reader) -> Reader:
    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            _refuse(where, "array", value)
        return [items(each, f"{where}[{index}]") for index, each in enumerate(value)]

    return read


def _array_of_form(items: Reader) -> Reader:
    """`a[0]=x&a[1]=y` comes as an object with numbers for keys, `a[]=x` as a list."""
    of_list = _array(items)

    def read(value: Any, where: str) -> Any:
        if isinstance(value, dict) and all(key.isdecimal() for key in value):
            value = [value[key] for key in sorted(value, key=int)]
        return of_list(value, where)

    return read


def _inside(where: str, name: str) -> str:
    return f"{where}[{name}]" if where else name
