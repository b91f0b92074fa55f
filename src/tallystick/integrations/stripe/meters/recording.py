"""What became of deltas is written down, class by class, and their lanes are given back.

| Outcome | The delta | Its lane |
|---|---|---|
| accepted, duplicate | accepted | goes on |
| throttled | waits, with the same key | waits a little |
| unknown | in doubt: is sent again as it is for 20 hours, then looked for | waits, longer each time |
| late | late | goes on |
| clock | waits | held, and tried again after some minutes |
| configuration | waits | held, and tried again after an hour at most |
| poison | quarantined; what may have arrived before is looked for first | goes on |

A refusal of the key is about every lane of the account: all of them wait then, and one is tried now and then. Nothing
is dropped in any of these. An answer that is a replay of an earlier one raises the number of the key, because
that key will never be answered otherwise.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from tallystick.integrations.stripe.meters import rows, store
from tallystick.integrations.stripe.meters.doubts import COUNTED_WITHIN, Doubt, Finding
from tallystick.integrations.stripe.meters.models import BLIND, Lane, Sending, State
from tallystick.integrations.stripe.meters.telling import held, quarantined
from tallystick.integrations.stripe.meters.voiding import void
from tallystick.integrations.stripe.outcomes import Class, Outcome
from tallystick.notifications import enqueue
from tallystick.storage.database import Connection, Database

FIRST_PAUSE = {Class.THROTTLED: 1.0, Class.UNKNOWN: 2.0, Class.CLOCK: 300.0, Class.CONFIGURATION: 60.0}
LONGEST_PAUSE = {Class.THROTTLED: 60.0, Class.UNKNOWN: 600.0, Class.CLOCK: 300.0, Class.CONFIGURATION: 3600.0}
HOLDING = frozenset({Class.CLOCK, Class.CONFIGURATION})
MOST_DOUBLINGS = 16


class Tried(NamedTuple):
    """A delta that was sent, and what became of it."""

    delta: Sending
    outcome: Outcome


@dataclass(slots=True)
class Line:
    """What is done in a lane in a round.

    Attributes:
        lane: which.
        failures: in a row, before.
        more: whether there is more to do in it right after.
        send: deltas that may be sent, in order.
        doubtful: or the first one, which may have arrived too long ago to be sent again.
        late: those whose deadline has passed.
        tried: what was sent, as far as it got.
        doubt: what was found about the doubtful one.
    """

    lane: Lane
    failures: int
    more: bool = False
    send: list[Sending] = field(default_factory=list)
    doubtful: Sending | None = None
    late: list[Sending] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    doubt: Doubt | None = None

    @property
    def last(self) -> int | None:
        """The last delta that is sent; None: none is."""
        return self.send[-1].id if self.send else None


@dataclass(slots=True)
class _Page:
    """What is to be written."""

    accepted: list[int] = field(default_factory=list)
    unsettled: list[rows.Unsettled] = field(default_factory=list)
    settled: list[rows.Settled] = field(default_factory=list)
    lost: list[tuple[Sending, str]] = field(default_factory=list)
    found: list[tuple[Sending, str]] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)
    releases: list[rows.Release] = field(default_factory=list)

    @property
    def counts(self) -> tuple[int, int, int]:
        """Accepted, waiting, and settled otherwise."""
        return len(self.accepted) + len(self.found), len(self.unsettled), len(self.settled) + len(self.lost)


async def record(
    database: Database, lines: Sequence[Line], lease: str, began: datetime, now: datetime
) -> tuple[int, int, int]:
    """Write down what became of a round; how many were accepted, go on waiting, and are settled otherwise.

    Of a lane that somebody else has leased meanwhile only what Stripe said yes to is written.
    """
    async with database.transaction() as tx:
        lost = [line.lane.id for line in lines if line.doubt and line.doubt.finding is Finding.LOST]
        await store.hold_teams(tx, lost)
        ours = await store.hold_lanes(tx, [line.lane.id for line in lines], lease)
        page = _Page()
        for line in lines:
            _collect(page, line, began, now, ours=line.lane.id in ours)
        await _write(tx, page, now)
        await enqueue(tx, [*held(lines, now), *quarantined(lines, now)])
        await store.release(tx, page.releases, now)
        await _hold_account(tx, lines, page.releases, now)
    return page.counts


async def _write(tx: Connection, page: _Page, now: datetime) -> None:
    await store.accepted(tx, [*page.accepted, *(delta.id for delta, _ in page.found)], now)
    await store.unsettled(tx, page.unsettled)
    await store.settled(tx, page.settled, now)
    await store.suspect(tx, page.unclear, now + COUNTED_WITHIN)
    for delta, reason in page.lost:
        await void(tx, [delta.id], State.LOST, drift="doubt", cause=reason, now=now)
    for delta, reason in page.found:
        await store.note_repair(
            tx, delta.lane_id, delta.id, delta.quantity, drift="doubt", action="counted", cause=reason, now=now
        )


def _collect(page: _Page, line: Line, began: datetime, now: datetime, *, ours: bool) -> None:
    page.accepted += [tried.delta.id for tried in line.tried if tried.outcome.kind.is_done]
    if not ours:
        return
    page.settled += [rows.Settled(delta.id, State.LATE, None) for delta in line.late]
    for tried in line.tried:
        _take(page, tried, began)
    if line.doubtful is not None and line.doubt is not None:
        _take_doubt(page, line.doubtful, line.doubt)
    page.releases.append(_release(line, now))


def _take(page: _Page, tried: Tried, began: datetime) -> None:
    delta, outcome = tried
    match outcome.kind:
        case Class.ACCEPTED | Class.DUPLICATE:
            pass
        case Class.UNKNOWN:
            key = delta.key_number + outcome.replayed
            page.unsettled.append(rows.Unsettled(delta.id, delta.doubt_since or began, key, _told(outcome), None))
        case Class.POISON if delta.doubt_since is not None:
            page.unsettled.append(_looked_for(delta, delta.doubt_since, outcome, began))
        case Class.POISON:
            page.settled.append(rows.Settled(delta.id, State.QUARANTINED, _told(outcome)))
        case Class.LATE if delta.doubt_since is None:
            page.settled.append(rows.Settled(delta.id, State.LATE, None))
        case _:
            page.unsettled.append(_as_before(delta, outcome))


def _take_doubt(page: _Page, delta: Sending, doubt: Doubt) -> None:
    match doubt.finding:
        case Finding.COUNTED:
            page.found.append((delta, doubt.reason))
        case Finding.LOST:
            page.lost.append((delta, doubt.reason))
        case Finding.UNCLEAR:
            page.settled.append(rows.Settled(delta.id, State.QUARANTINED, f"{rows.UNCLEAR}: {doubt.reason}"))
            page.unclear.append(delta.lane_id)
        case Finding.WAIT:
            page.unsettled.append(
                rows.Unsettled(delta.id, delta.doubt_since, delta.key_number, doubt.reason, doubt.looked_at)
            )


def _as_before(delta: Sending, outcome: Outcome) -> rows.Unsettled:
    """It did not arrive this time: as much in doubt as it was before."""
    key = delta.key_number + outcome.replayed
    return rows.Unsettled(delta.id, delta.doubt_since, key, _told(outcome), delta.looked_at)


def _looked_for(delta: Sending, doubt_since: datetime, outcome: Outcome, began: datetime) -> rows.Unsettled:
    """Refused with words that are not known, and sent before: it may be there, so it is looked for, and not sent."""
    since = min(doubt_since, began - BLIND)
    return rows.Unsettled(delta.id, since, delta.key_number, _told(outcome), delta.looked_at)


async def _hold_account(tx: Connection, lines: Sequence[Line], releases: Sequence[rows.Release], now: datetime) -> None:
    """Where the key is not good, every lane of the account waits as long as the one that found out."""
    refused = {line.lane.id for line in lines if line.tried and line.tried[-1].outcome.is_about_account}
    held_back = [each for each in releases if each.lane_id in refused]
    if held_back:
        until = max(each.next_at for each in held_back)
        await store.hold_account(tx, lines[0].lane.account, str(held_back[0].hold), now, until)


def _release(line: Line, now: datetime) -> rows.Release:
    if line.doubt is not None and line.doubt.finding is Finding.WAIT:
        return rows.Release(line.lane.id, line.failures, None, line.doubt.look_at)
    last = line.tried[-1].outcome if line.tried else None
    if last is None or last.kind not in FIRST_PAUSE:
        return rows.Release(line.lane.id, 0, None, now)
    hold = f"{last.kind}: {last.message}" if last.kind in HOLDING else None
    if last.replayed:  # the next key gets an answer of its own, at once
        return rows.Release(line.lane.id, line.failures, hold, now)
    return rows.Release(line.lane.id, line.failures + 1, hold, now + _pause(last.kind, line.failures))


def _pause(kind: Class, failures: int) -> timedelta:
    """Twice as long each time, and never as long as everybody else's."""
    longest = min(FIRST_PAUSE[kind] * 2.0 ** min(failures, MOST_DOUBLINGS), LONGEST_PAUSE[kind])
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311 - nobody has to guess it


def _told(outcome: Outcome) -> str:
    return f"{outcome.kind}: {outcome.message}".rstrip(": ")
