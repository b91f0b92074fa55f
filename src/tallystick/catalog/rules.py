"""How billing periods are closed and invoices written, as the `billing` section says. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class LateUsage(StrEnum):
    """What becomes of usage that changes a closed period: late, amended or voided.

    `next_period`: signed lines on the team's next open period. `credit_note`: a document of its own.
    `ignore`: recorded, and not booked.
    """

    NEXT_PERIOD = "next_period"
    CREDIT_NOTE = "credit_note"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """Who writes invoices. Numbers have no gaps within one entity.

    Attributes:
        id: what numbers are counted by, made of a to z, 0 to 9 and _ . -.
        name: as it stands on invoices.
        address: its lines.
        tax_id: such as a VAT number.
        email: where questions go.
        bank: lines that say how to pay.
    """

    id: str = "default"
    name: str = ""
    address: tuple[str, ...] = ()
    tax_id: str = ""
    email: str = ""
    bank: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax, and what it applies to; an empty scope is everything.

    Attributes:
        name: as it stands on invoices, such as VAT.
        percent: 19 is 19 %.
        teams: ids of the teams that it is for.
        metadata: values that a team's metadata has to have, by key: `country: [DE, AT]`.
        metrics: the metrics whose lines it is for.
    """

    name: str
    percent: Decimal
    teams: tuple[str, ...] = ()
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InvoiceRules:
    """How invoices are written.

    Attributes:
        entity: who writes them.
        number: how a number is written: `{number}` is the count of the entity's invoices, `{number:05}` with zeros
            to five places; `{entity}` its id; `{year}` the year of the day it was finalised.
        credit_note: the same, for credit notes, which are counted apart.
        locale: in which amounts and dates are written, such as `en_US`.
        due_days: how many days after its date an invoice is due.
        taxes: of the rates that fit a line, the first one; none by default.
        note: text below the total.
    """

    entity: LegalEntity = field(default_factory=LegalEntity)
    number: str = "INV-{number:05}"
    credit_note: str = "CN-{number:05}"
    locale: str = "en"
    due_days: int = 14
    taxes: tuple[TaxRate, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class BillingRules:
    """How billing periods are closed.

    Attributes:
        grace: how long after its end a period waits for late usage before it is closed.
        late_usage: what becomes of usage that changes a closed period.
        invoice: how invoices are written.
    """

    grace: timedelta = timedelta(hours=1)
    late_usage: LateUsage = LateUsage.NEXT_PERIOD
    invoice: InvoiceRules = field(default_factory=InvoiceRules)
