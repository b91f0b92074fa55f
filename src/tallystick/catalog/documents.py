"""Terms and rules as JSON documents, for the database: numbers and instants as text, defaults left out.

Equal terms have equal documents, so that documents can be compared. Durations are seconds.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tallystick.catalog.rules import BillingRules, InvoiceRules, LateUsage, LegalEntity, TaxRate
from tallystick.catalog.terms import PlanCommitment, ScopedDiscount, TeamTerms, Terms
from tallystick.core.money import plain

Document = dict[str, Any]


def terms_to_json(terms: Terms) -> Document:
    """A plan's terms."""
    commitment = terms.commitment
    return _given(
        trial_days=terms.trial_days or None,
        minimum=_number(terms.minimum),
        commitment=commitment and commitment_to_json(commitment),
        discounts=[_discount_to_json(discount) for discount in terms.discounts],
    )


def terms_from_json(document: Mapping[str, Any]) -> Terms:
    """What `terms_to_json` wrote."""
    commitment = document.get("commitment")
    return Terms(
        trial_days=document.get("trial_days", 0),
        minimum=_decimal(document.get("minimum")),
        commitment=commitment and _commitment(commitment),
        discounts=_discounts(document),
    )


def commitment_to_json(commitment: PlanCommitment) -> Document:
    """A commitment, with every key."""
    return {
        "amount": plain(commitment.amount),
        "overage_factor": plain(commitment.overage_factor),
        "true_up": commitment.true_up,
    }


def team_terms_to_json(terms: TeamTerms) -> Document:
    """A team's terms."""
    return _given(
        discounts=[_discount_to_json(discount) for discount in terms.discounts],
        exchange_rates={pair: plain(rate) for pair, rate in sorted(terms.exchange_rates.items())},
    )


def team_terms_from_json(document: Mapping[str, Any]) -> TeamTerms:
    """What `team_terms_to_json` wrote."""
    rates = document.get("exchange_rates", {})
    return TeamTerms(_discounts(document), {pair: Decimal(rate) for pair, rate in rates.items()})


def rules_to_json(rules: BillingRules) -> Document:
    """The rules by which periods are closed and invoices written."""
    standard = BillingRules()
    return _given(
        grace=None if rules.grace == standard.grace else int(rules.grace.total_seconds()),
        late_usage=None if rules.late_usage is standard.late_usage else str(rules.late_usage),
        invoice=_invoice_to_json(rules.invoice),
    )


def rules_from_json(document: Mapping[str, Any]) -> BillingRules:
    """What `rules_to_json` wrote."""
    standard = BillingRules()
    grace = document.get("grace")
    return BillingRules(
        standard.grace if grace is None else timedelta(seconds=grace),
        LateUsage(document.get("late_usage", standard.late_usage)),
        _invoice(document.get("invoice", {})),
    )


def _invoice_to_json(rules: InvoiceRules) -> Document:
    standard = InvoiceRules()
    texts = {key: getattr(rules, key) for key in ("number", "credit_note", "locale", "due_days", "note")}
    return _given(
        entity=_entity_to_json(rules.entity),
        taxes=[_tax_to_json(tax) for tax in rules.taxes],
        **{key: value for key, value in texts.items() if value != getattr(standard, key)},
    )


def _invoice(document: Mapping[str, Any]) -> InvoiceRules:
    others = {key: value for key, value in document.items() if key not in ("entity", "taxes")}
    return InvoiceRules(
        entity=LegalEntity(**_frozen(document.get("entity", {}))),
        taxes=tuple(_tax(tax) for tax in document.get("taxes", ())),
        **others,
    )


def _entity_to_json(entity: LegalEntity) -> Document:
    keys = ("id", "name", "address", "tax_id", "email", "bank")
    values = {key: getattr(entity, key) for key in keys}
    standard = LegalEntity()
    return _given(**{key: _thawed(value) for key, value in values.items() if value != getattr(standard, key)})


def _tax_to_json(tax: TaxRate) -> Document:
    return _given(
        name=tax.name,
        percent=plain(tax.percent),
        teams=list(tax.teams),
        metadata={key: list(values) for key, values in tax.metadata.items()},
        metrics=list(tax.metrics),
    )


def _tax(document: Mapping[str, Any]) -> TaxRate:
    metadata = {key: tuple(values) for key, values in document.get("metadata", {}).items()}
    teams, metrics = tuple(document.get("teams", ())), tuple(document.get("metrics", ()))
    return TaxRate(document["name"], Decimal(document["percent"]), teams, metadata, metrics)


def _discount_to_json(discount: ScopedDiscount) -> Document:
    return _given(
        percent=_number(discount.percent),
        amount=_number(discount.amount),
        metrics=list(discount.metrics),
        effective_from=_instant(discount.effective_from),
        effective_to=_instant(discount.effective_to),
        name=discount.name,
    )


def _discounts(document: Mapping[str, Any]) -> tuple[ScopedDiscount, ...]:
    return tuple(
        ScopedDiscount(
            _decimal(each.get("percent")),
            _decimal(each.get("amount")),
            tuple(each.get("metrics", ())),
            _moment(each.get("effective_from")),
            _moment(each.get("effective_to")),
            each.get("name", ""),
        )
        for each in document.get("discounts", ())
    )


def _commitment(document: Mapping[str, Any]) -> PlanCommitment:
    return PlanCommitment(Decimal(document["amount"]), Decimal(document["overage_factor"]), document["true_up"])


def _given(**values: Any) -> Document:
    """The values without those that say nothing: None, and what is empty."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def _number(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _frozen(document: Mapping[str, Any]) -> Document:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}


def _thawed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
