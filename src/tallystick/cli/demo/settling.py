"""Shows that Stripe ends up with what the ledger says: a month in peace, and the same month while everything fails."""

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, LiteralString, NamedTuple

from tallystick.cli import output
from tallystick.cli.demo.month import EVENTS, HONEST_FROM, START, Month, Trouble
from tallystick.cli.demo.scratch import scratch
from tallystick.core.errors import TallystickError
from tallystick.integrations.stripe.amounts import from_minor_units
from tallystick.integrations.stripe.fake import Effect, Fault, Manners
from tallystick.integrations.stripe.reconciling.models import Comparison

FAILING = 0.1
"""Of every call to Stripe, how likely it is to fail."""

MISCOUNTED = 0.01
"""Of every meter event, how likely Stripe is to count it wrongly."""

CALLS = {
    Effect.UNREACHABLE: "the connection was cut before Stripe did anything",
    Effect.RATE_LIMITED: "Stripe answered: too many requests",
    Effect.SERVER_ERROR: "Stripe answered 500, and had done nothing",
    Effect.DONE_BUT_SERVER_ERROR: "Stripe answered 500, and had done it",
    Effect.LOST_ANSWER: "Stripe had done it, and the answer was lost",
    Effect.GARBLED: "Stripe had done it, and the answer was a gateway's page",
}
COUNTING = {
    Effect.NEVER_COUNTED: "Stripe said yes to usage and did not count it",
    Effect.COUNTED_TWICE: "Stripe said yes to usage and counted it twice",
    Effect.REJECTED_LATER: "Stripe said yes to usage and reported an error later",
}

METER_CALLS = "POST /v1/billing/meter_events"

STATEMENTS = """
SELECT p.team_id, t.mode, p.total, p.currency, p.status, p.stripe_invoice_id
FROM metered_billing_periods p JOIN stripe_teams t USING (team_id)
WHERE p.digest IS NOT NULL ORDER BY p.team_id, p.id
"""
TOLD = "SELECT count(*) FROM stripe_deltas WHERE state = 'confirmed'"
REPAIRED = "SELECT count(*) FROM stripe_repairs WHERE drift IN ('missing', 'extra', 'doubt')"
REJECTED = "SELECT count(*) FROM stripe_repairs WHERE drift = 'rejected'"
ALERTS = "SELECT count(*) FROM notifications WHERE kind = 'stripe.drift'"


class Differs(TallystickError):
    """Stripe does not have what the ledger says."""

    code = "stripe_differs"


class Bill(NamedTuple):
    """A statement and the invoice of Stripe's that it became."""

    team: str
    mode: str
    statement: Decimal
    stripe: Decimal | None
    status: str


class Closed(NamedTuple):
    """A month that is over.

    Attributes:
        drift: what Stripe has counted, held against the ledger.
        bills: what it charged, held against the statements.
        went_wrong: what did, and how often.
        done_about_it: what was done about that, and how often.
        seconds: how long it took.
    """

    drift: Sequence[Comparison]
    bills: Sequence[Bill]
    went_wrong: Sequence[tuple[str, int]]
    done_about_it: Sequence[tuple[str, int]]
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether Stripe has everything once, and has charged it."""
        counted = all(not each.absolute and each.agrees for each in self.drift)
        return counted and all(bill.statement == bill.stripe and bill.status == "paid" for bill in self.bills)


def settle(url: str, events: int = EVENTS) -> None:
    """Close a month with a fake of Stripe, in peace and in trouble, and show that both sides agree.

    Args:
        url: of a database on the server on which the months get databases of their own.
        events: about how many a month has.

    Raises:
        StorageError: the months can't have databases.
        Differs: Stripe ended up with something else.
    """
    output.note("")
    output.show("March 2026 is closed with Stripe: a fake of it on this machine, asked by Stripe's own SDK.")
    output.show("Stripe bills acme itself, out of what its meters are told; globex gets invoices that are made here.")
    _show(_lived(url, Trouble(), events))
    output.show("The same month once more, while everything goes wrong:")
    bad = _lived(url, trouble(), events)
    _show_trouble(bad)
    _show(bad)


def trouble() -> Trouble:
    """Everything that can go wrong with a call or a webhook, and what Stripe can get wrong by itself."""
    return Trouble(
        calls=[Fault(each, "POST /v1/*", times=None, chance=FAILING / len(CALLS)) for each in CALLS],
        counting=[Fault(each, METER_CALLS, times=None, chance=MISCOUNTED / len(COUNTING)) for each in COUNTING],
        manners=Manners(shuffled=True, twice=0.3),
    )


def _lived(url: str, trouble: Trouble, events: int) -> Closed:
    with scratch(url) as own:
        return asyncio.run(_live(own, trouble, events))


async def _live(url: str, trouble: Trouble, events: int) -> Closed:
    began = time.monotonic()
    async with Month.open(url, trouble) as month:
        await month.begin()
        await month.live_through(trouble, events)
        await month.close()
        compared = await month.parts.reconciliation.run(repair=False)
        return Closed(
            [each for each in compared if each.interval.start == START],
            await _bills(month),
            _went_wrong(month),
            await _done_about_it(month),
            time.monotonic() - began,
        )


async def _bills(month: Month) -> list[Bill]:
    invoices = {each["id"]: each for each in month.fake.account.invoices()}
    async with month.state.database.snapshot() as tx:
        rows = await (await tx.execute(STATEMENTS)).fetchall()
    return [
        Bill(team, mode, total, from_minor_units(found["total"], currency) if found else None, status)
        for team, mode, total, currency, status, stripe_id in rows
        for found in [invoices.get(stripe_id)]
    ]


def _went_wrong(month: Month) -> list[tuple[str, int]]:
    account, struck = month.fake.account, month.fake.account.faults.struck
    told = [each.notice.event for each in account.deliveries.log]
    webhooks = ("a webhook came twice", len(told) - len(set(told)))
    return [*((words, struck.get(effect, 0)) for effect, words in {**CALLS, **COUNTING}.items()), webhooks]


async def _done_about_it(month: Month) -> list[tuple[str, int]]:
    account = month.fake.account
    again = account.idempotency.replays + account.usage.duplicates
    return [
        ("differences of usage told to meters, and confirmed by Stripe's sums", await _count(month, TOLD)),
        ("calls made again that Stripe recognised as repeats", again),
        ("differences told anew because Stripe reported an error", await _count(month, REJECTED)),
        ("differences repaired because Stripe's sums were wrong", await _count(month, REPAIRED)),
        ("alerts that told people of a difference", await _count(month, ALERTS)),
    ]


async def _count(month: Month, statement: LiteralString) -> int:
    async with month.state.database.snapshot() as tx:
        row = await (await tx.execute(statement)).fetchone()
    return int(row[0]) if row else 0


def _show_trouble(closed: Closed) -> None:
    _table(("what went wrong", "times"), closed.went_wrong)
    output.show("A call is made again under the same name until its outcome is known. Wrong sums are put right up")
    output.show(f"to 1 %; the rest on {HONEST_FROM:%-d %B}, when somebody, alerted, runs stripe reconcile --cap 100.")
    _table(("what was done about it", "times"), closed.done_about_it)


def _show(closed: Closed) -> None:
    rows = [
        (each.lane.team_id, each.lane.metric, each.sums.local, each.sums.stripe, each.absolute, each.percent,
         str(each.drift))
        for each in closed.drift
    ]  # fmt: skip
    _table(("team", "metric", "local", "stripe", "absolute", "percent", "drift"), rows)
    bills = [(*bill, None if bill.stripe is None else bill.stripe - bill.statement) for bill in closed.bills]
    _table(("team", "mode", "statement", "Stripe charged", "status", "difference"), bills)
    if not closed.agrees:
        raise Differs("Stripe does not have what the ledger says; that is a bug of Tallystick's, please report it")
    sums, invoices = len(closed.drift), len(closed.bills)
    output.show(f"Zero drift: {sums} sums and {invoices} invoices agree to the cent ({closed.seconds:.0f} s).\n")


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    output.show_table(columns, rows, drawn=True)
