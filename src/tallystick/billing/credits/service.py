"""Grants are made, voided and listed; balances and the ledger are read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, NoReturn

from tallystick.billing.credits import store
from tallystick.billing.credits.balances import GrantBalance, UnitBalance, balance_of, by_unit
from tallystick.billing.credits.holdings import load, save
from tallystick.billing.credits.models import Grant
from tallystick.billing.credits.posting import Entry
from tallystick.billing.credits.store import Transaction
from tallystick.billing.credits.terms import Terms, check, check_moment, recurrence
from tallystick.billing.teams.service import required_team
from tallystick.core.clock import Clock
from tallystick.core.errors import Conflict, InvalidInput, NotFound
from tallystick.http.answers import rfc3339
from tallystick.storage.database import Connection, Database

MOST_GRANTS = 100_000
"""Grants of one team whose balances are added up."""

MOST_SETTLED = 500
"""Grants that one round of settling takes."""

LONGEST_REASON = 1000
LAST = 2**63 - 1


class Booking(NamedTuple):
    """A transaction of the ledger with its entries."""

    transaction: Transaction
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Credits:
    """Credits of one installation."""

    database: Database
    clock: Clock

    async def grant(self, team_id: str, terms: Terms, *, actor: str | None = None) -> Grant:
        """Grant credits. With a reference that the team's grants have already, the grant is that one.

        Raises:
            NotFound: there is no such team.
            InvalidInput: terms that can't be; names the field.
            Conflict: the reference is that of a grant with other terms.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            team = await required_team(tx, team_id)
            if (known := await _known(tx, team_id, terms)) is not None:
                return known
            check(terms, await store.metric_names(tx), now)
            wanted = _made(team_id, team.time_zone, terms, now)
            if (grant_id := await store.insert_grant(tx, wanted)) is None:
                known = await _known(tx, team_id, terms)  # another request was quicker
                assert known is not None
                return known
            made = replace(wanted, id=grant_id)
            [holding] = await load(tx, [store.Stored(made, made.effective_at)], lambda _: 0)
            await store.book(tx, holding.settle([], made.effective_at), now, actor=actor)
            await save(tx, [holding])
        return made

    async def get(self, grant_id: int, *, at: datetime | None = None) -> GrantBalance:
        """A grant and what is left of it at a moment; default: now.

        Raises:
            NotFound: there is no such grant.
        """
        async with self.database.snapshot() as tx:
            grant = (await store.find_grant(tx, grant_id) or _no_grant(grant_id)).grant
            [found] = await self._balances(tx, [grant], at)
        return found

    async def page(self, team_id: str | None, limit: int, *, after: int = 0) -> list[GrantBalance]:
        """Up to `limit` grants after an id, by id, of one team or of all, and what is left of each now.

        Raises:
            NotFound: there is no such team.
        """
        async with self.database.snapshot() as tx:
            if team_id is not None:
                await required_team(tx, team_id)
            stored = await store.grants(tx, team_id, limit, after)
            return await self._balances(tx, [each.grant for each in stored], None)

    async def balance(self, team_id: str, *, at: datetime | None = None) -> list[UnitBalance]:
        """What a team has at a moment, of each currency and of each metric; default: now.

        Grants count from the moment at which they take effect, though they were recorded later.

        Raises:
            NotFound: there is no such team.
            InvalidInput: a moment outside the years that are kept.
        """
        if at is not None:
            check_moment("at", at)
        async with self.database.snapshot() as tx:
            await required_team(tx, team_id)
            stored = await store.grants(tx, team_id, MOST_GRANTS)
            return by_unit(await self._balances(tx, [each.grant for each in stored], at))

    async def void(self, grant_id: int, reason: str, *, actor: str | None = None) -> Grant:
        """Void what is left of a grant, from now on. What it has paid stays paid; again: nothing happens.

        A billing period that has not closed yet gets nothing from it any more.

        Raises:
            NotFound: there is no such grant.
            InvalidInput: no reason.
            Conflict: it has expired.
        """
        if not reason.strip() or not reason.isprintable() or len(reason) > LONGEST_REASON:
            raise InvalidInput(f"reason must have 1 to {LONGEST_REASON} printable characters", field="reason")
        async with self.database.transaction() as tx:
            stored = next(iter(await store.lock_grants(tx, [grant_id])), None) or _no_grant(grant_id)
            grant, now = stored.grant, self.clock.now()
            if grant.voided_at is not None:
                return grant
            if grant.expires_at is not None and grant.expires_at <= now:
                raise Conflict(f"credit grant {grant_id} expired at {rfc3339(grant.expires_at)}; nothing is left of it")
            [holding] = await load(tx, [stored], lambda _: LAST)
            before = holding.booked()
            at = max(now, before[-1].allotment.start) if grant.effective_at <= now else now
            holding.grant = replace(grant, voided_at=at, void_reason=reason)
            await store.void_grant(tx, grant_id, at, reason)
            await store.book(tx, holding.settle(before, at), now, actor=actor)
            await save(tx, [holding])
        return holding.grant

    async def ledger(
        self,
        team_id: str,
        limit: int,
        *,
        grant_id: int | None = None,
        period_id: int | None = None,
        before: int = LAST,
    ) -> list[Booking]:
        """Up to `limit` of a team's transactions with an id below `before`, newest first.

        Args:
            team_id: whose ledger it is.
            limit: most transactions.
            grant_id: the only grant to look at.
            period_id: the only billing period to look at, which burned credits or gave them back.
            before: where the page begins.

        Raises:
            NotFound: there is no such team, or it has no such grant.
        """
        async with self.database.snapshot() as tx:
            await required_team(tx, team_id)
            if grant_id is not None:
                found = await store.find_grant(tx, grant_id)
                if found is None or found.grant.team_id != team_id:
                    raise NotFound(f"team {team_id!r} has no credit grant {grant_id}")
            transactions = await store.ledger(tx, team_id, limit, before, grant_id=grant_id, period_id=period_id)
            entries = await store.entries(tx, [each.id for each in transactions])
        return [Booking(each, [e for e in entries[each.id] if grant_id in (None, e.grant_id)]) for each in transactions]

    async def settle(self) -> bool:
        """Book what has become of grants by now: given anew, gone over, expired. Says whether more is to be done.

        Balances are the same before and after: they are computed. What a period that is still to be closed may
        burn is not booked as expired; closing it does that.
        """
        now = self.clock.now()
        async with self.database.transaction() as tx:
            due = await store.lock_due_grants(tx, now, MOST_SETTLED)
            holdings = await load(tx, [stored for stored, _ in due], lambda _: LAST)
            settled = [each.settle(each.booked(), until) for each, (_, until) in zip(holdings, due, strict=True)]
            await store.book(tx, [posting for postings in settled for posting in postings], now)
            await save(tx, holdings)
        return len(due) == MOST_SETTLED

    async def _balances(self, tx: Connection, grants: Sequence[Grant], at: datetime | None) -> list[GrantBalance]:
        used = await store.used(tx, [grant.id for grant in grants], effective_by=at)
        return [balance_of(grant, used[grant.id], at or self.clock.now()) for grant in grants]


def _no_grant(grant_id: int) -> NoReturn:
    raise NotFound(f"there is no credit grant {grant_id}")


def _made(team_id: str, time_zone: str, terms: Terms, now: datetime) -> Grant:
    """The grant of checked terms, without an id."""
    effective_at = terms.effective_at or now
    return Grant(
        id=0,
        team_id=team_id,
        name=terms.name or f"{terms.kind} credits",
        kind=terms.kind,
        priority=terms.priority,
        amount=terms.amount,
        currency=terms.currency,
        metric=terms.metric,
        metrics=tuple(sorted(set(terms.metrics))),
        effective_at=effective_at,
        expires_at=terms.expires_at,
        recurrence=recurrence(terms, effective_at, time_zone),
        reference=terms.reference,
        created_at=now,
    )


async def _known(tx: Connection, team_id: str, terms: Terms) -> Grant | None:
    """The grant that has the terms' reference already; None: there is none.

    Raises:
        Conflict: its terms are others.
    """
    found = await store.find_reference(tx, team_id, terms.reference) if terms.reference else None
    if found is None:
        return None
    grant = found.grant
    time_zone = grant.recurrence.time_zone if grant.recurrence else ""
    again = _made(team_id, time_zone, terms, grant.created_at)
    if replace(again, id=grant.id, voided_at=grant.voided_at, void_reason=grant.void_reason) != grant:
        message = f"reference {terms.reference!r} is that of credit grant {grant.id}, whose terms are others"
        raise Conflict(message)
    return grant
