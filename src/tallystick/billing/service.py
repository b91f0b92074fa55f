"""Billing as one thing: everything about teams, statements and reports that the API and the CLI call."""

from dataclasses import dataclass
from typing import Self

from tallystick.billing.closing.service import Closing
from tallystick.billing.closing.verification import Verifications
from tallystick.billing.explain.service import Explanations
from tallystick.billing.preview.service import Previews
from tallystick.billing.report import Reports
from tallystick.billing.statements.service import Statements
from tallystick.billing.teams.service import Teams
from tallystick.core.clock import Clock
from tallystick.metering.service import Metering
from tallystick.storage.database import Database


@dataclass(frozen=True, slots=True)
class Billing:
    """The parts of billing, wired to one database and its metering."""

    teams: Teams
    statements: Statements
    reports: Reports
    closing: Closing
    verifications: Verifications
    explanations: Explanations
    previews: Previews

    @classmethod
    def open(cls, database: Database, metering: Metering, clock: Clock) -> Self:
        """Billing on this database. It holds nothing of its own that would have to be closed."""
        return cls(
            teams=Teams(database, clock),
            statements=Statements(database, metering, clock),
            reports=Reports(database, metering.usage, clock),
            closing=Closing(database, metering, clock),
            verifications=Verifications(database, metering, clock),
            explanations=Explanations(database, metering, clock),
            previews=Previews(database, metering, clock),
        )
