"""Checking a closed statement: is it what was closed, and do the raw events still give it?

Two questions. The digest says whether anybody changed the stored inputs or lines. And everything is made anew: usage
from raw events alone, prices and terms as they were recorded up to the moment of closing, by the code that closed it.
Of adjustments it is checked that they brought the books to what was known then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tallystick.billing.accounts import Occasion, load_accounts
from tallystick.billing.adjustments import store as adjusting
from tallystick.billing.adjustments.service import Adjustments
from tallystick.billing.charging import Charging, charge
from tallystick.billing.closing.inputs import inputs_of
from tallystick.billing.models import LineKind
from tallystick.billing.statements import store
from tallystick.billing.statements.assembly import converted
from tallystick.billing.statements.models import ClosedStatement, Difference, StatementKind, StatementLine, Verification
from tallystick.billing.tariffs import latest_definitions
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.service import required_team
from tallystick.core.clock import Clock, Interval, parse_instant
from tallystick.core.errors import NotFound
from tallystick.metering.service import Metering
from tallystick.storage.database import Connection, Database

INPUTS = "inputs"
"""The key under which a difference of what the lines were made of is told."""


@dataclass(frozen=True, slots=True)
class Verifications:
    """Checks closed statements."""

    database: Database
    metering: Metering
    clock: Clock

    async def verify(self, period_id: int) -> Verification:
        """Make a closed statement anew and compare.

        Raises:
            NotFound: there is no such closed statement.
        """
        async with self.database.snapshot() as tx:
            found = await store.closed_statement(tx, period_id)
            if found is None:
                raise NotFound(f"there is no closed statement {period_id}")
            differences = [] if found.period.kind is StatementKind.CORRECTION else await self._lines(tx, found)
            differences += await self._adjustments(tx, found)
        return Verification(found.period, found.intact, differences)

    async def _lines(self, tx: Connection, found: ClosedStatement) -> list[Difference]:
        """Lines that come out different."""
        period, known_at = found.period, found.period.known_at
        team = await required_team(tx, period.team_id)
        team = replace(team, currency=period.currency, time_zone=period.inputs["time_zone"])
        subscription = await teams.find_subscription(tx, period.team_id, period.subscription_id)
        occasion = Occasion(team, subscription, period.period, _full(period.inputs))
        as_of = max(known_at, period.period.end)
        [account] = await load_accounts(tx, [occasion], as_of=as_of, known_at=known_at)
        definitions = list(latest_definitions(await self.metering.usage.metrics()).values())
        [lines] = await charge(self.metering.usage, [Charging.of(account, definitions)], as_of=as_of, raw=True)
        [charged] = await converted(tx, [account], [lines], known_at=known_at)
        made = [StatementLine.of(line, place, account.currency or "", period.currency)
                for place, line in enumerate(charged)]  # fmt: skip
        stored = [line for line in found.lines if line.kind is not LineKind.ADJUSTMENT]
        return [*_inputs(period.inputs, inputs_of(account, known_at)), *_different(stored, made)]

    async def _adjustments(self, tx: Connection, found: ClosedStatement) -> list[Difference]:
        """Adjustments that did not bring the books to what was known when they were closed."""
        adjusted = {line.adjusts_period_id for line in found.lines if line.adjusts_period_id is not None}
        if not adjusted:
            return []
        team = await required_team(tx, found.period.team_id)
        booked = await adjusting.booked_periods(tx, [team.id], found.period.known_at)
        service = Adjustments(self.metering.usage, self.metering.store)
        pending = await service.rerate(
            tx, [each for each in booked if each.id in adjusted], {team.id: team}, sealed=found.period.known_at
        )
        currency, missing = found.period.currency, pending[team.id].lines if pending else ()
        return [
            Difference(line.key, None, StatementLine.of(line, 0, currency, currency).document()) for line in missing
        ]


def _full(inputs: Mapping[str, Any]) -> Interval:
    return Interval(*(parse_instant(inputs["full"][bound]) for bound in ("start", "end")))


def _inputs(stored: Mapping[str, Any], made: Mapping[str, Any]) -> list[Difference]:
    names = [name for name in made if stored.get(name) != made[name]]
    if not names:
        return []
    return [Difference(INPUTS, {name: stored.get(name) for name in names}, {name: made[name] for name in names})]


def _different(stored: Sequence[StatementLine], made: Sequence[StatementLine]) -> list[Difference]:
    before, after = ({line.key: line.document() for line in lines} for lines in (stored, made))
    keys = dict.fromkeys([*before, *after])
    return [Difference(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]
