"""The `billing` section: how billing periods are closed, and how invoices are written."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal

from babel import Locale, UnknownLocaleError

from tallystick.catalog.place import Place, Refused
from tallystick.catalog.rules import BillingRules, InvoiceRules, LateUsage, LegalEntity, TaxRate
from tallystick.core.money import plain

KEYS = ("grace", "late_usage", "invoice")
INVOICE_KEYS = ("entity", "number", "credit_note", "locale", "due_days", "taxes", "note")
ENTITY_KEYS = ("id", "name", "address", "tax_id", "email", "bank")
TAX_KEYS = ("name", "percent", "teams", "metadata", "metrics")

LONGEST_GRACE = timedelta(days=90)
MOST_DUE_DAYS = 366
_DURATION = re.compile(r"(0|[1-9][0-9]{0,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PART = re.compile(r"\{(?:number(?::0?[1-9][0-9]?d?)?|entity|year)\}")


def read_billing(place: Place, metrics: Collection[str]) -> BillingRules:
    """The rules; what is not said is at its default."""
    fields, standard = place.fields(KEYS), BillingRules()
    grace = fields.read("grace", _grace)
    return BillingRules(
        standard.grace if grace is None else grace,
        fields.read("late_usage", lambda value: value.choice(LateUsage)) or standard.late_usage,
        fields.read("invoice", lambda value: _invoice(value, metrics)) or standard.invoice,
    )


def _grace(place: Place) -> timedelta:
    match = _DURATION.fullmatch(place.node.text)
    if not match and place.node.text != "0":
        raise Refused(f"must be a duration such as 30m, 1h or 3d, not {place.node.text!r}")
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if length > LONGEST_GRACE:
        raise Refused(f"must be at most {LONGEST_GRACE.days}d, not {place.node.text}")
    return length


def _invoice(place: Place, metrics: Collection[str]) -> InvoiceRules:
    fields, standard = place.fields(INVOICE_KEYS), InvoiceRules()
    due_days = fields.read("due_days", lambda value: value.whole(0, MOST_DUE_DAYS))
    return InvoiceRules(
        entity=fields.read("entity", _entity) or standard.entity,
        number=fields.read("number", _number) or standard.number,
        credit_note=fields.read("credit_note", _number) or standard.credit_note,
        locale=fields.read("locale", _locale) or standard.locale,
        due_days=standard.due_days if due_days is None else due_days,
        taxes=tuple(fields.read("taxes", lambda value: value.each(lambda tax: _tax(tax, metrics))) or ()),
        note=fields.read("note", Place.prose) or "",
    )


def _entity(place: Place) -> LegalEntity:
    if not isinstance(place.node.value, Mapping):
        return LegalEntity(name=place.text())
    fields = place.fields(ENTITY_KEYS)
    return LegalEntity(
        id=fields.read("id", Place.name) or "default",
        name=fields.need("name", Place.key) or "",
        address=fields.read("address", _lines) or (),
        tax_id=fields.read("tax_id", Place.key) or "",
        email=fields.read("email", Place.key) or "",
        bank=fields.read("bank", _lines) or (),
    )


def _lines(place: Place) -> tuple[str, ...]:
    """Lines: a list of texts, or a text of several lines."""
    if isinstance(place.node.value, list):
        return tuple(place.each(Place.key))
    return tuple(line.strip() for line in place.prose().splitlines() if line.strip())


def _number(place: Place) -> str:
    """A pattern for numbers: text around `{number}`, `{entity}` and `{year}`."""
    text = place.key()
    rest = _PART.sub("", text)
    if "{" in rest or "}" in rest:
        raise Refused("may hold {number}, {number:05}, {entity} and {year}, and no other braces")
    if "{number" not in text:
        raise Refused("must hold {number}, the count of the entity's documents: numbers have no gaps and don't repeat")
    return text


def _locale(place: Place) -> str:
    text = place.key()
    try:
        Locale.parse(text, sep="-" if "-" in text else "_")
    except (UnknownLocaleError, ValueError, TypeError):
        raise Refused(f"{text!r} is not a locale that is known, such as en_US or de_DE") from None
    return text.replace("-", "_")


def _tax(place: Place, metrics: Collection[str]) -> TaxRate:
    fields = place.fields(TAX_KEYS)
    name, percent = fields.need("name", Place.key), fields.need("percent", _tax_percent)
    return TaxRate(
        name or "",
        percent or Decimal(0),
        tuple(fields.read("teams", lambda value: value.each(Place.key)) or ()),
        fields.read("metadata", _metadata) or {},
        tuple(fields.read("metrics", lambda value: value.each(lambda one: one.one_of(metrics, "metric"))) or ()),
    )


def _tax_percent(place: Place) -> Decimal:
    """Per cent, from 0 (reverse charge is told on the invoice, too) to 100."""
    number = place.number()
    if not 0 <= number <= 100:
        raise Refused(f"must be at least 0 and at most 100, not {plain(number)}")
    return number


def _metadata(place: Place) -> dict[str, tuple[str, ...]]:
    """Keys of a team's metadata, and the values one of which has to be there."""
    return {key: tuple(value.attempt(_values) or ()) for key, _, value in place.entries()}


def _values(place: Place) -> list[str]:
    return place.each(Place.key) if isinstance(place.node.value, list) else [place.key()]
