"""The statements about metered teams, lanes and the outbox, run."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from tallystick.core.clock import Interval
from tallystick.integrations.stripe.meters.models import (
    Booked,
    Kind,
    Lane,
    LatePolicy,
    Meter,
    MeteredTeam,
    Sending,
    State,
)
from tallystick.integrations.stripe.meters.rows import (
    REPORTED,
    UNCLEAR,
    AtRisk,
    Entry,
    LateUsage,
    Leased,
    Named,
    Release,
    SeenUntil,
    Settled,
    Told,
    Unsettled,
)
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
_request = msgspec.json.Decoder(dict[str, Any])


async def meters_of(tx: Connection, account: str) -> list[Meter]:
    """Every metric that has a meter in an account."""
    return [Meter(*row) for row in await _rows(tx, "meters_of", account=account)]


async def keep_meter(tx: Connection, account: str, meter: Meter, now: datetime) -> None:
    """Keep which meter a metric has."""
    await tx.execute(QUERIES["keep_meter"], {"account": account, **meter._asdict(), "now": now})


async def prices_of(tx: Connection, account: str) -> dict[str, str]:
    """Stripe's prices that were made of the catalogue's, by lookup key."""
    return {row[0]: row[1] for row in await _rows(tx, "prices_of", account=account)}


async def keep_price(tx: Connection, account: str, values: Mapping[str, str], now: datetime) -> None:
    """Keep which of Stripe's prices a price of the catalogue is."""
    await tx.execute(QUERIES["keep_price"], {"account": account, **values, "now": now})


async def claim_teams(
    tx: Connection, account: str, limit: int, *, after: str, only: Sequence[str] | None, urgent_at: datetime | None
) -> list[MeteredTeam]:
    """The next teams to be looked at, which nobody else looks at until the transaction ends.

    Args:
        tx: a transaction.
        account: whose meters.
        limit: how many teams at most.
        after: those whose id comes after it.
        only: of these teams; None: of all.
        urgent_at: only those that have to be looked at again, or whose period has ended by this instant.
    """
    values = {"account": account, "limit": limit, "after": after, "only": only, "settled": urgent_at}
    rows = await _rows(tx, "claim_teams", **values, urgent=urgent_at is not None)
    return [MeteredTeam(row[0], row[1], LatePolicy(row[2]), *row[3:]) for row in rows]


async def presses(tx: Connection, account: str, urgent_at: datetime) -> bool:
    """Whether a team has to be looked at again, or its period has ended by this instant."""
    [(found,)] = await _rows(tx, "presses", account=account, settled=urgent_at)
    return bool(found)


async def looked_at(tx: Connection, teams: Sequence[SeenUntil], known_at: datetime, now: datetime) -> None:
    """Keep up to where teams were looked at."""
    values = {
        "teams": [each.team_id for each in teams],
        "untils": [each.until for each in teams],
        "lasts": [each.last_edge for each in teams],
        "nexts": [each.next_edge for each in teams],
        "known_at": known_at,
        "now": now,
    }
    await tx.execute(QUERIES["looked_at"], values)


async def replan(tx: Connection, starts: Iterable[tuple[str, datetime]]) -> None:
    """Let windows of teams be looked at again, from an instant on."""
    found = list(starts)
    if found:
        values = {"teams": [team_id for team_id, _ in found], "starts": [start for _, start in found]}
        await tx.execute(QUERIES["replan"], values)


async def open_lanes(tx: Connection, account: str, wanted: Collection[tuple[MeteredTeam, Meter]]) -> None:
    """Make the lanes of teams and meters, where there are none."""
    values = {
        "account": account,
        "customers": [team.customer_id for team, _ in wanted],
        "events": [meter.event_name for _, meter in wanted],
        "meters": [meter.meter_id for _, meter in wanted],
        "teams": [team.team_id for team, _ in wanted],
        "metrics": [meter.metric for _, meter in wanted],
    }
    await tx.execute(QUERIES["open_lanes"], values)


async def lanes_of(tx: Connection, account: str, teams: Sequence[str] | None = None) -> list[Lane]:
    """The lanes of an account, of some teams or all."""
    return [Lane(*row) for row in await _rows(tx, "lanes_of", account=account, teams=teams)]


async def booked(tx: Connection, spans: Sequence[tuple[int, Interval]]) -> list[list[Booked]]:
    """What was booked of the windows that share an instant with each span of a lane."""
    found: list[list[Booked]] = [[] for _ in spans]
    values = {
        "numbers": list(range(len(spans))),
        "lanes": [lane_id for lane_id, _ in spans],
        "starts": [span.start for _, span in spans],
        "ends": [span.end for _, span in spans],
    }
    for number, start, end, quantity, last in await _rows(tx, "booked", **values):
        found[number].append(Booked(Interval(start, end), quantity, last))
    return found


async def last_seq(tx: Connection, lane_id: int, kind: Kind, window: Interval) -> int:
    """The last number of a kind of delta in a window; 0: there is none."""
    values = {"lane_id": lane_id, "kind": str(kind), "window_start": window.start, "window_end": window.end}
    [(last,)] = await _rows(tx, "last_seq", **values)
    return int(last)


async def book(tx: Connection, entries: Sequence[Entry], now: datetime) -> list[int]:
    """Write deltas down in this order, and wake their lanes; their numbers."""
    if not entries:
        return []
    of = [each.delta for each in entries]
    values = {
        "lanes": [each.lane_id for each in entries],
        "kinds": [str(each.kind) for each in of],
        "starts": [each.window.start for each in of],
        "ends": [each.window.end for each in of],
        "seqs": [each.seq for each in of],
        "quantities": [each.quantity for each in of],
        "stamps": [each.stamped_at for each in of],
        "deadlines": [each.deadline for each in of],
        "identifiers": [each.identifier for each in entries],
        "requests": [json.dumps(each.request) for each in entries],
        "causes": [each.cause for each in of],
        "states": [str(each.state) for each in of],
        "now": now,
    }
    ids = [int(row[0]) for row in await _rows(tx, "book", **values)]
    waiting = sorted({each.lane_id for each in entries if each.delta.state is State.PENDING})
    await tx.execute(QUERIES["wake"], {"lanes": waiting, "now": now})
    return ids


async def claim_lanes(
    tx: Connection, account: str, limit: int, *, lease: str, now: datetime, until: datetime
) -> list[Leased]:
    """Lease lanes whose time has come. What senders that died had begun to send in them is in doubt from here on."""
    values = {"account": account, "limit": limit, "lease": lease, "now": now, "until": until}
    leased = [Leased(Lane(*row[:7]), row[7], row[8]) for row in await _rows(tx, "claim_lanes", **values)]
    if broken := [each.lane.id for each in leased if each.broken]:
        await tx.execute(QUERIES["left_in_doubt"], {"lanes": broken})
    return leased


async def heads(tx: Connection, leased: Sequence[Leased], depth: int) -> dict[int, list[Sending]]:
    """Up to `depth` deltas that wait in each lane, the first first."""
    failures = {each.lane.id: each.failures for each in leased}
    found: dict[int, list[Sending]] = {lane_id: [] for lane_id in failures}
    for row in await _rows(tx, "heads", lanes=list(failures), depth=depth):
        id, lane_id, identifier, request, *rest = row
        sent = _request.decode(request)
        found[lane_id].append(Sending._make((id, lane_id, identifier, sent, *rest, failures[lane_id])))
    return found


async def sending(tx: Connection, lasts: Mapping[int, int | None], now: datetime) -> None:
    """Write down that from here on deltas of lanes may have arrived, up to the last that is sent; None: none is."""
    await tx.execute(QUERIES["sending"], {"lanes": list(lasts), "lasts": list(lasts.values()), "now": now})


async def streaming(tx: Connection, batches: Mapping[str, Sequence[int]], now: datetime) -> None:
    """Write down which deltas are sent together."""
    async with tx.cursor() as cursor:
        rows = [{"key": key, "ids": _array(ids), "now": now} for key, ids in batches.items()]
        await cursor.executemany(QUERIES["streaming"], rows)


async def forget_batches(tx: Connection, before: datetime) -> None:
    """Forget which deltas were sent together, before an instant."""
    await tx.execute(QUERIES["forget_batches"], {"before": before})


async def backlog(tx: Connection, account: str, now: datetime, limit: int) -> int:
    """How many deltas could be sent now, as far as `limit`."""
    [(waiting,)] = await _rows(tx, "backlog", account=account, now=now, limit=limit)
    return int(waiting)


async def teams_of_lanes(tx: Connection, lane_ids: Iterable[int]) -> dict[int, str]:
    """Whose lanes these are."""
    return {row[0]: row[1] for row in await _rows(tx, "teams_of_lanes", lanes=list(lane_ids))}


async def hold(tx: Connection, lane_ids: Iterable[int]) -> None:
    """Take teams and lanes, in the order in which everybody does: the team, the lane, its deltas."""
    ids = sorted(lane_ids)
    await tx.execute(QUERIES["hold_teams"], {"lanes": ids})
    await _rows(tx, "hold_lanes", lanes=ids, lease=None)


async def hold_teams(tx: Connection, lane_ids: Iterable[int]) -> None:
    """Take the teams of lanes of which something may turn out to be void."""
    await tx.execute(QUERIES["hold_teams"], {"lanes": sorted(lane_ids)})


async def hold_lanes(tx: Connection, lane_ids: Iterable[int], lease: str) -> set[int]:
    """Those of the lanes that are still leased to this sender. Nobody else takes one until the transaction ends."""
    return {row[0] for row in await _rows(tx, "hold_lanes", lanes=sorted(lane_ids), lease=lease)}


async def accepted(tx: Connection, ids: Sequence[int], now: datetime) -> None:
    """Stripe said yes to these."""
    await tx.execute(QUERIES["accepted"], {"ids": _array(ids), "now": now})


async def found(tx: Connection, delta_id: int, now: datetime) -> None:
    """What was set aside is seen to count."""
    await tx.execute(QUERIES["found"], {"id": delta_id, "now": now})


async def unclear(tx: Connection, delta_id: int, reason: str, looked_at: datetime) -> None:
    """What was seen about one that was set aside, first at an instant of Stripe's clock."""
    values = {"id": delta_id, "outcome": f"{UNCLEAR}: {reason}", "looked_at": looked_at}
    await tx.execute(QUERIES["unclear"], values)


async def reported(tx: Connection, ids: Sequence[int], reason: str) -> None:
    """Stripe says that some of these were not counted."""
    await tx.execute(QUERIES["reported"], {"ids": ids, "outcome": f"{REPORTED}: {reason}"})


async def unsettled(tx: Connection, deltas: Sequence[Unsettled]) -> None:
    """These go on waiting."""
    values = {
        "ids": [each.id for each in deltas],
        "doubts": [each.doubt_since for each in deltas],
        "keys": [each.key_number for each in deltas],
        "outcomes": [each.outcome for each in deltas],
        "looks": [each.looked_at for each in deltas],
    }
    await tx.execute(QUERIES["unsettled"], values)


async def settled(tx: Connection, deltas: Sequence[Settled], now: datetime) -> list[tuple[int, int, Decimal, datetime]]:
    """These wait no more: each with its lane, quantity and the beginning of its window. What is void stays void."""
    values = {
        "ids": [each.id for each in deltas],
        "states": [str(each.state) for each in deltas],
        "outcomes": [each.outcome for each in deltas],
        "now": now,
    }
    return [(row[0], row[1], row[2], row[3]) for row in await _rows(tx, "settled", **values)]


async def release(tx: Connection, lanes: Sequence[Release], now: datetime) -> None:
    """Give lanes back, which `hold_lanes` has taken in this transaction."""
    values = {
        "lanes": [each.lane_id for each in lanes],
        "failures": [each.failures for each in lanes],
        "holds": [each.hold for each in lanes],
        "nexts": [each.next_at for each in lanes],
        "now": now,
    }
    await tx.execute(QUERIES["release"], values)


async def told_in(tx: Connection, lane_id: int, interval: Interval) -> list[Told]:
    """The deltas stamped in an interval, as they stand, in the order in which they were booked."""
    values = {"lane_id": lane_id, "starts_at": interval.start, "ends_at": interval.end}
    rows = await _rows(tx, "told_in", **values)
    return [
        Told(id, name, Kind(kind), Interval(start, end), quantity, stamp, until, State(state), *rest)
        for id, name, kind, start, end, quantity, stamp, until, state, *rest in rows
    ]


async def enrol(tx: Connection, values: Mapping[str, Any]) -> None:
    """Let Stripe's meters be told a team's usage."""
    await tx.execute(QUERIES["enrol"], values)


async def withdraw(tx: Connection, team_id: str) -> None:
    """Let them be told no more."""
    await tx.execute(QUERIES["withdraw"], {"team_id": team_id})


async def find_metered(tx: Connection, team_id: str) -> tuple[str, str, bool, datetime, datetime] | None:
    """The team's account and customer, whether it is told now, from when on, and up to where it was looked at."""
    row = await (await tx.execute(QUERIES["find_metered"], {"team_id": team_id})).fetchone()
    return None if row is None else (row[0], row[1], row[2], row[3], row[4])


async def late_usage(
    tx: Connection, account: str, limit: int, *, after: int, only: Sequence[str] | None
) -> list[LateUsage]:
    """Usage that came too late and was not dealt with."""
    rows = await _rows(tx, "late_usage", account=account, limit=limit, after=after, only=only)
    return [LateUsage(row[0], Interval(row[1], row[2]), row[3], LatePolicy(row[4]), Lane(*row[5:])) for row in rows]


async def dealt_with(tx: Connection, outcomes: Sequence[tuple[int, str]]) -> None:
    """Write down what became of late usage."""
    values = {"ids": [id for id, _ in outcomes], "outcomes": [outcome for _, outcome in outcomes]}
    await tx.execute(QUERIES["dealt_with"], values)


async def by_reference(tx: Connection, references: Sequence[str]) -> list[Named]:
    """The deltas that error reports name, by identifier, idempotency key or the key of their batch."""
    rows = await _rows(tx, "by_reference", references=list(references))
    return [Named(row[0], row[1], row[2], State(row[3]), row[4], row[5]) for row in rows]


async def suspect(tx: Connection, lane_ids: Iterable[int], at: datetime) -> None:
    """Let lanes be held against Stripe's summaries, from an instant on."""
    await tx.execute(QUERIES["suspect"], {"lanes": list(lane_ids), "at": at})


async def hold_back(tx: Connection, lane_ids: Iterable[int], hold: str, now: datetime, until: datetime) -> None:
    """Let lanes wait for somebody to put something right."""
    await tx.execute(QUERIES["hold_back"], {"lanes": list(lane_ids), "hold": hold, "now": now, "until": until})


async def hold_account(tx: Connection, account: str, hold: str, now: datetime, until: datetime) -> None:
    """Let every lane of an account wait for somebody to put something right."""
    await tx.execute(QUERIES["hold_account"], {"account": account, "hold": hold, "now": now, "until": until})


async def suspect_told_since(tx: Connection, account: str, since: datetime, at: datetime) -> None:
    """Let lanes of which anything was sent since an instant be held against Stripe's summaries."""
    await tx.execute(QUERIES["suspect_told_since"], {"account": account, "since": since, "at": at})


async def refused(tx: Connection, account: str, teams: Sequence[str] | None) -> dict[int, int]:
    """What Stripe refused for good, of some teams or all: the deltas, each with its lane."""
    found = await _rows(tx, "refused", account=account, teams=teams, unclear=f"{UNCLEAR}%")
    return {row[0]: row[1] for row in found}


async def at_risk(tx: Connection, account: str, *, now: datetime, soon: datetime, since: datetime) -> list[AtRisk]:
    """Usage that has been waiting since an instant, and will be too late for its invoice soon."""
    rows = await _rows(tx, "at_risk", account=account, now=now, soon=soon, since=since)
    return [AtRisk(*row) for row in rows]


async def confirm(tx: Connection, lane_id: int, interval: Interval) -> None:
    """Stripe's summaries agree with what it said yes to in a stretch."""
    values = {"lane_id": lane_id, "starts_at": interval.start, "ends_at": interval.end}
    await tx.execute(QUERIES["confirm"], values)


async def uncarry(tx: Connection, delta_ids: Sequence[int]) -> None:
    """Late usage that was carried by these is to be carried again: they came to nothing."""
    await tx.execute(QUERIES["uncarry"], {"ids": delta_ids})


async def note_repair(
    tx: Connection,
    lane_id: int,
    delta_id: int,
    quantity: Decimal,
    *,
    drift: str,
    action: str,
    cause: str,
    now: datetime,
) -> None:
    """Write down what was put right, and why."""
    values = {"lane_id": lane_id, "delta_id": delta_id, "quantity": quantity, "drift": drift, "action": action}
    await tx.execute(QUERIES["note_repair"], {**values, "cause": cause, "now": now})


async def standing(tx: Connection, teams: Sequence[str] | None) -> list[tuple[Any, ...]]:
    """How the outbox stands, team by team: a row as of `service.Standing`."""
    return await _rows(tx, "standing", teams=teams)


async def resume(tx: Connection, account: str, teams: Sequence[str] | None, now: datetime) -> None:
    """Try at once what waits."""
    await tx.execute(QUERIES["resume"], {"account": account, "teams": teams, "now": now})


def _array(ids: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array: the driver takes several times as long for as many."""
    return f"{{{','.join(map(str, ids))}}}"


async def _rows(tx: Connection, name: str, **values: Any) -> list[tuple[Any, ...]]:
    return await (await tx.execute(QUERIES[name], values)).fetchall()
