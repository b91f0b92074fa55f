"""Finds what closed statements should have said: re-rate what was touched since, less what is booked.

    closed statement ─▶ touched since it was rated? ─▶ its usage and terms as known now ─▶ lines
                                                 lines − (lines as closed + adjustments so far) = adjustments

Both sides are summed per line key, so however often this is done, what is booked and what is still to be booked
add up to the rating of what is known. A closed line is converted at the rate at which it was closed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from tallystick.billing.accounts import Occasion, load_accounts
from tallystick.billing.adjustments import store
from tallystick.billing.adjustments.models import NOTHING, Booked, BookedPeriod, Pending, difference
from tallystick.billing.currencies import Rate
from tallystick.billing.models import Account, Cause, Line
from tallystick.billing.sealed import SealedCharging
from tallystick.billing.statements.assembly import converted
from tallystick.billing.teams import store as teams
from tallystick.billing.teams.models import Team
from tallystick.core.clock import Interval, parse_instant
from tallystick.metering.event_store import EventStore
from tallystick.metering.models import Known, MetricDefinition, MetricVersion
from tallystick.metering.usage import UsageReader
from tallystick.storage.database import Connection

MOST_EVENTS = 100
"""Ids of causing events that a line carries; the rest is found by explaining it."""


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Adjustments of one installation."""

    usage: UsageReader
    store: EventStore

    async def pending(
        self, tx: Connection, held: Mapping[str, Team], *, sealed: datetime, as_of: datetime | None = None
    ) -> dict[str, Pending]:
        """What is to be booked for these teams by what was known at an instant.

        Args:
            tx: where the ledger is read.
            held: the teams, by id.
            sealed: an instant that `EventStore.seal` returned, or `FOREVER`: everything.
            as_of: the present moment; default: `sealed`.
        """
        periods = await store.booked_periods(tx, list(held), sealed)
        return await self.rerate(tx, await self._touched(tx, periods), held, sealed=sealed, as_of=as_of)

    async def rerate(
        self,
        tx: Connection,
        touched: Sequence[BookedPeriod],
        held: Mapping[str, Team],
        *,
        sealed: datetime,
        as_of: datetime | None = None,
    ) -> dict[str, Pending]:
        """What closed statements should have said by what was known at an instant, less what is booked.

        Args:
            tx: where the ledger is read.
            touched: the closed statements.
            held: their teams, by id.
            sealed: an instant that `EventStore.seal` returned, or `FOREVER`: everything.
            as_of: the present moment; default: `sealed`.
        """
        if not touched:
            return {}
        terms = await store.changed_terms(tx, touched)
        moment = as_of or sealed
        accounts = await _accounts(tx, touched, held, as_of=moment, known_at=sealed)
        rated = await SealedCharging(self.usage, self.store).lines(accounts, sealed=sealed, as_of=moment)
        books = await store.booked_lines(tx, [period.id for period in touched], sealed)
        news = _News(self.usage, sealed)
        found: dict[str, Pending] = {}
        for period, account, lines in zip(touched, accounts, rated, strict=True):
            booked = {key: Booked.of(said) for key, said in books.get(period.id, {}).items()}
            now = await _in_currency_of_bill(tx, period, account, booked, lines)
            changes = _differences(period, booked, now, account.currency or period.currency)
            caused = [await self._caused(each, period, terms.get(period.id, ()), news) for each in changes]
            before = found.get(period.team_id, NOTHING)
            found[period.team_id] = Pending([*before.lines, *caused], {**before.accounts, period.id: account})
        return found

    async def _touched(self, tx: Connection, periods: Sequence[BookedPeriod]) -> list[BookedPeriod]:
        """The statements about which something was learned since: usage, or prices and terms."""
        if not periods:
            return []
        terms = await store.changed_terms(tx, periods)
        usage = await self.store.changed([Known(each.team_id, each.period, each.since) for each in periods])
        return [each for each, metrics in zip(periods, usage, strict=True) if metrics or each.id in terms]

    async def _caused(
        self,
        line: Line,
        period: BookedPeriod,
        terms: tuple[str, ...],
        news: "_News",
    ) -> Line:
        """The line with its cause: which events were late, amended or voided, or which terms changed."""
        assert line.adjusts is not None
        own = (*_own(line.adjusts.key, line.name, terms), *await news.of(line, period.since))
        cause = Cause(terms=own or terms, since=period.since)
        if line.metric is not None and (versions := (await news.metrics()).get(line.metric)):
            found = await self.store.causes(
                period.team_id, versions, line.interval, period.since, until=news.sealed, limit=MOST_EVENTS
            )
            events = tuple(str(event.id) for event in found.events)
            cause = Cause(found.late, found.amended, found.voided, own if events else cause.terms, events, period.since)
        return replace(line, adjusts=replace(line.adjusts, cause=cause))


@dataclass(frozen=True, slots=True)
class _News:
    """What of the definitions of metrics is known at one instant, and was not at an earlier one."""

    usage: UsageReader
    sealed: datetime
    _known: dict[datetime, Mapping[str, Sequence[MetricVersion]]] = field(default_factory=dict)

    async def metrics(self, at: datetime | None = None) -> Mapping[str, Sequence[MetricVersion]]:
        """Every metric as known at an instant; default: at the one of this."""
        moment = at or self.sealed
        if moment not in self._known:
            self._known[moment] = await self.usage.metrics(moment)
        return self._known[moment]

    async def of(self, line: Line, since: datetime) -> tuple[str, ...]:
        """The metric of a line, if another definition of it holds in the line's interval since then."""
        if line.metric is None:
            return ()
        before, now = [(await self.metrics(at)).get(line.metric, ()) for at in (since, self.sealed)]
        return () if _holding(before, line.interval) == _holding(now, line.interval) else (f"metric {line.metric}",)


def _holding(versions: Sequence[MetricVersion], interval: Interval) -> list[tuple[MetricDefinition, Interval]]:
    """Which definitions hold in an interval, and when."""
    found = (
        (
            each.definition,
            Interval(max(each.effective_from or interval.start, interval.start),
                     min(each.effective_to or interval.end, interval.end)),
        )
        for each in versions
    )  # fmt: skip
    return [(definition, held) for definition, held in found if held.start < held.end]


def _own(key: str, name: str, terms: Sequence[str]) -> tuple[str, ...]:
    """Of prices and terms that are others, those that a line can be different by: of a price's line no other price."""
    if not key.startswith(("usage:", "fee:")):
        return tuple(terms)
    return tuple(each for each in terms if each == f"price {name}" or not each.startswith("price "))


async def _accounts(
    tx: Connection, periods: Sequence[BookedPeriod], held: Mapping[str, Team], *, as_of: datetime, known_at: datetime
) -> list[Account]:
    """The accounts of closed periods, with the terms that are known by now; bounds and currency are those closed."""
    found = await teams.subscriptions_by_id(tx, list(held), [each.subscription_id for each in periods])
    occasions = [
        Occasion(
            replace(held[each.team_id], currency=each.currency), found[each.subscription_id], each.period, _full(each)
        )
        for each in periods
    ]
    return await load_accounts(tx, occasions, as_of=as_of, known_at=known_at)


def _full(period: BookedPeriod) -> Interval:
    start, end = (parse_instant(period.full[bound]) for bound in ("start", "end"))
    return Interval(start, end)


def _differences(
    period: BookedPeriod, booked: Mapping[str, Booked], lines: Sequence[Line], currency: str
) -> list[Line]:
    """The adjustments of one closed statement, in the order of its lines; those that are gone come last."""
    now = {line.key: line for line in lines}
    keys = [*now, *(key for key in booked if key not in now)]
    found = (difference(period, key, booked.get(key), now.get(key), currency) for key in keys)
    return [line for line in found if line is not None]


async def _in_currency_of_bill(
    tx: Connection, period: BookedPeriod, account: Account, booked: Mapping[str, Booked], lines: Sequence[Line]
) -> Sequence[Line]:
    """The lines at the rates at which the period was closed; where nothing was, at that of its last day."""
    if any(each.first.exchange_rate is not None for each in booked.values()):
        return [_converted(line, period, booked) for line in lines]
    [found] = await converted(tx, [account], [lines], known_at=account.known_at)
    return found


def _converted(line: Line, period: BookedPeriod, booked: Mapping[str, Booked]) -> Line:
    """The line in the currency of the bill, at the rate of the same line when it was closed, or of another one."""
    rates = [booked[line.key].first] if line.key in booked else []
    for said in [*rates, *(each.first for each in booked.values())]:
        if line.total is not None and said.exchange_rate is not None and said.rate_date is not None:
            rate = Rate(said.currency, period.currency, said.exchange_rate, said.rate_date, said.rate_source or "")
            return replace(line, conversion=rate.convert(line.total))
    return line
