"""The statements about alerts, run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psycopg.sql import SQL, Composed

from tallystick.alerts.models import (
    Action,
    Alert,
    Cause,
    Check,
    Kind,
    Stand,
    State,
    Step,
    StepType,
    Transition,
)
from tallystick.http.answers import dumps
from tallystick.storage.database import Connection
from tallystick.storage.queries import Queries

QUERIES = Queries.load(__package__ or "")
LAST = 2**63 - 1

_ALERT = SQL(
    "a.name, a.kind, a.threshold_value, a.team_id, a.plan, a.metric, a.currency, a.type, a.action, a.hysteresis, "
    "a.weeks, a.active, a.created_at, a.updated_at, a.id, a.last_triggered_at"
)
_STAND = SQL(
    "s.step_id, s.team_id, s.period_start, s.period_end, s.alert_id, s.state, s.value, s.changed_at, s.crossings, "
    "s.resolutions"
)
_TRANSITION = SQL(
    "h.id, h.alert_id, h.step_id, h.team_id, h.period_start, h.period_end, h.from_state, h.to_state, h.cause, h.value, "
    "h.limit_value, h.unit, h.terms, h.known_at, h.told"
)


async def insert_alert(tx: Connection, alert: Alert) -> int:
    """Add an alert with its steps; its id."""
    [(alert_id,)] = await _rows(tx, QUERIES["insert_alert"], _values(alert))
    await _insert_steps(tx, replace(alert, id=alert_id))
    return int(alert_id)


async def update_alert(tx: Connection, alert: Alert) -> None:
    """Another content of an alert; steps that have an id stay the same steps, the others of before are retired."""
    await tx.execute(QUERIES["update_alert"], _values(alert))
    kept = [step.id for step in alert.steps if step.id]
    values = {"alert_id": alert.id, "kept": kept, "now": alert.updated_at}
    await tx.execute(QUERIES["retire_steps"], values)
    await _insert_steps(tx, alert)


async def _insert_steps(tx: Connection, alert: Alert) -> None:
    for position, step in enumerate(alert.steps):
        values = {
            "id": step.id,
            "alert_id": alert.id,
            "position": position,
            "percent": step.percent,
            "value": step.value,
            "type": str(step.type),
            "action": _action_text(step.action),
            "now": alert.updated_at,
        }
        await tx.execute(QUERIES["keep_step" if step.id else "insert_step"], values)


async def delete_alert(tx: Connection, alert_id: int, now: datetime) -> None:
    """Delete an alert; its history stays."""
    await tx.execute(QUERIES["delete_alert"], {"id": alert_id, "now": now})
    await tx.execute(QUERIES["retire_steps"], {"alert_id": alert_id, "kept": [], "now": now})
    await tx.execute(QUERIES["forget_checks_of_alert"], {"alert_id": alert_id})


async def lock_alert(tx: Connection, alert_id: int) -> Alert | None:
    """The alert, which nobody else changes until the transaction ends; None: there is none."""
    if not await _rows(tx, QUERIES["lock_alert"], {"id": alert_id}):
        return None
    return (await find_alerts(tx, [alert_id]))[alert_id]


async def find_alerts(tx: Connection, ids: Iterable[int]) -> dict[int, Alert]:
    """Alerts by id, deleted ones too; those have no steps."""
    rows = await _rows(tx, QUERIES["find_alerts"].format(alert=_ALERT), {"ids": list(ids)})
    return {alert.id: alert for alert in await _alerts(tx, rows)}


async def list_alerts(
    tx: Connection,
    limit: int,
    *,
    after: int = 0,
    team_id: str | None = None,
    family: str | None = None,
    kind: Kind | None = None,
    metric: str | None = None,
    active: bool | None = None,
) -> list[Alert]:
    """Up to `limit` alerts after an id, by id; of a team those of its plan (`family`) and of all teams, too."""
    values = {
        "limit": limit,
        "after": after,
        "team_id": team_id,
        "family": family,
        "kind": str(kind) if kind else None,
        "metric": metric,
        "active": active,
    }
    return await _alerts(tx, await _rows(tx, QUERIES["list_alerts"].format(alert=_ALERT), values))


async def watched_teams(tx: Connection, team_ids: Iterable[str]) -> list[str]:
    """Those of the teams that any alert may be about."""
    rows = await _rows(tx, QUERIES["watched_teams"], {"team_ids": list(team_ids)})
    return [team_id for (team_id,) in rows]


async def alerts_of_teams(tx: Connection, team_ids: Iterable[str], families: Iterable[str]) -> list[Alert]:
    """The active alerts that may be about some of these teams, which are on these plans."""
    values = {"team_ids": list(team_ids), "families": list(families)}
    return await _alerts(tx, await _rows(tx, QUERIES["alerts_of_teams"].format(alert=_ALERT), values))


async def family_of_team(tx: Connection, team_id: str, at: datetime) -> str | None:
    """The plan that a team is on at a moment, without its version."""
    rows = await _rows(tx, QUERIES["family_of_team"], {"team_id": team_id, "at": at})
    return str(rows[0][0]) if rows else None


async def families(tx: Connection) -> list[str]:
    """Every plan's name, without versions."""
    return [family for (family,) in await _rows(tx, QUERIES["families"], {})]


async def metric_units(tx: Connection) -> dict[str, str]:
    """The unit of every metric."""
    return dict(await _rows(tx, QUERIES["metric_units"], {}))


async def touch_covered(tx: Connection, alert: Alert, now: datetime) -> None:
    """Let the teams that an alert is about be looked at."""
    await tx.execute(QUERIES["touch_covered"], {"team_id": alert.team_id, "plan": alert.plan, "now": now})


async def triggered(tx: Connection, ids: Iterable[int], now: datetime) -> None:
    """Note that alerts were triggered just now."""
    await tx.execute(QUERIES["triggered"], {"ids": sorted(set(ids)), "now": now})


async def try_lock_evaluation(tx: Connection) -> bool:
    """Whether this transaction is the one that evaluates; no other does until it ends."""
    [(locked,)] = await _rows(tx, QUERIES["try_lock_evaluation"], {})
    return bool(locked)


async def lock_evaluation(tx: Connection) -> None:
    """Let nobody evaluate until the transaction ends."""
    await tx.execute(QUERIES["lock_evaluation"])


async def touched(tx: Connection, limit: int) -> list[tuple[int, str]]:
    """Up to `limit` entries (number, team) of the queue of teams that are to be looked at, oldest first."""
    return [(int(number), team_id) for number, team_id in await _rows(tx, QUERIES["touched"], {"limit": limit})]


async def forget_touched(tx: Connection, ids: Sequence[int]) -> None:
    """Take entries out of that queue."""
    await tx.execute(QUERIES["forget_touched"], {"ids": list(ids)})


async def due_checks(tx: Connection, now: datetime, limit: int) -> list[Check]:
    """Up to `limit` checks that are due, the longest due first."""
    return [Check(team_id, alert_id, due_at, since)
            for team_id, alert_id, due_at, since in await _rows(tx, QUERIES["due_checks"], {"now": now, "limit": limit})
            ]  # fmt: skip


async def checks_of_teams(tx: Connection, team_ids: Iterable[str]) -> dict[tuple[str, int], Check]:
    """When alerts have to look at these teams, by team and alert."""
    rows = await _rows(tx, QUERIES["checks_of_teams"], {"team_ids": list(team_ids)})
    return {(row[0], row[1]): Check(*row) for row in rows}


async def save_checks(tx: Connection, checks: Sequence[Check]) -> None:
    """Set when alerts have to look at teams again."""
    values = {
        "team_ids": [each.team_id for each in checks],
        "alert_ids": [each.alert_id for each in checks],
        "due": [each.due_at for each in checks],
        "since": [each.since for each in checks],
    }
    await tx.execute(QUERIES["save_checks"], values)


async def forget_checks(tx: Connection, pairs: Iterable[tuple[str, int]]) -> None:
    """Forget when alerts have to look at teams."""
    found = list(pairs)
    values = {"team_ids": [team_id for team_id, _ in found], "alert_ids": [alert_id for _, alert_id in found]}
    await tx.execute(QUERIES["forget_checks"], values)


async def stands(tx: Connection, team_ids: Iterable[str], alert_ids: Iterable[int], since: datetime) -> list[Stand]:
    """How steps stand with teams: in periods that begin at an instant or later, and in silences that last."""
    values = {"team_ids": list(team_ids), "alert_ids": list(alert_ids), "since": since}
    return [_stand(row) for row in await _rows(tx, QUERIES["stands"].format(stand=_STAND), values)]


async def crossed(tx: Connection, alert_id: int, now: datetime, *, retired: bool) -> list[Stand]:
    """Where steps of an alert are crossed in periods that are not over: all of them, or only retired ones."""
    values = {"alert_id": alert_id, "now": now, "all": not retired}
    return [_stand(row) for row in await _rows(tx, QUERIES["crossed"].format(stand=_STAND), values)]


async def save_stands(tx: Connection, found: Sequence[Stand]) -> None:
    """Keep how steps stand now."""
    values = {
        "step_ids": [each.step_id for each in found],
        "team_ids": [each.team_id for each in found],
        "starts": [each.period_start for each in found],
        "ends": [each.period_end for each in found],
        "alert_ids": [each.alert_id for each in found],
        "states": [str(each.state) for each in found],
        "numbers": [each.value for each in found],
        "changed": [each.changed_at for each in found],
        "crossings": [each.crossings for each in found],
        "resolutions": [each.resolutions for each in found],
    }
    await tx.execute(QUERIES["save_stands"], values)


async def insert_transitions(tx: Connection, found: Sequence[Transition]) -> None:
    """Keep changes of state."""
    values = {
        "alert_ids": [each.alert_id for each in found],
        "step_ids": [each.step_id for each in found],
        "team_ids": [each.team_id for each in found],
        "starts": [each.period_start for each in found],
        "ends": [each.period_end for each in found],
        "befores": [str(each.from_state) for each in found],
        "afters": [str(each.to_state) for each in found],
        "causes": [str(each.cause) for each in found],
        "numbers": [each.value for each in found],
        "limits": [each.limit for each in found],
        "units": [each.unit for each in found],
        "known": [each.known_at for each in found],
        "told": [each.told for each in found],
        "terms": dumps([each.terms for each in found]).decode(),
    }
    await tx.execute(QUERIES["insert_transitions"], values)


async def history(
    tx: Connection, limit: int, *, alert_id: int | None = None, team_id: str | None = None, before: int = LAST
) -> list[Transition]:
    """Up to `limit` changes of state before a number, newest first."""
    values = {"limit": limit, "alert_id": alert_id, "team_id": team_id, "before": before}
    rows = await _rows(tx, QUERIES["history"].format(transition=_TRANSITION), values)
    return [_transition(row) for row in rows]


async def find_transition(tx: Connection, transition_id: int) -> Transition | None:
    """One change of state."""
    rows = await _rows(tx, QUERIES["find_transition"].format(transition=_TRANSITION), {"id": transition_id})
    return _transition(rows[0]) if rows else None


async def hold_teams(tx: Connection, team_ids: Iterable[str]) -> None:
    """Let nobody close a period of these teams until the transaction ends."""
    await tx.execute(QUERIES["hold_teams"], {"team_ids": sorted(set(team_ids))})


async def closed_periods(tx: Connection, team_ids: Iterable[str]) -> set[tuple[str, datetime]]:
    """Which periods of these teams are closed, by team and beginning."""
    rows = await _rows(tx, QUERIES["closed_periods"], {"team_ids": sorted(set(team_ids))})
    return {(team_id, start) for team_id, start in rows}


async def _alerts(tx: Connection, rows: Sequence[tuple[Any, ...]]) -> list[Alert]:
    """The alerts of some rows, with their steps."""
    if not rows:
        return []
    steps: dict[int, list[Step]] = defaultdict(list)
    found = await _rows(tx, QUERIES["steps"], {"alert_ids": [row[14] for row in rows]})
    for alert_id, percent, value, kind, action, step_id in found:
        steps[alert_id].append(Step(percent, value, StepType(kind), _action(action), step_id))
    return [_alert(row, tuple(steps[row[14]])) for row in rows]


def _alert(row: Sequence[Any], steps: tuple[Step, ...]) -> Alert:
    name, kind, threshold, team_id, plan, metric, currency, type, action, *more = row
    hysteresis, weeks, active, created_at, updated_at, id, last_triggered_at = more
    return Alert(
        name=name,
        kind=Kind(kind),
        threshold=threshold,
        team_id=team_id,
        plan=plan,
        metric=metric,
        currency=currency,
        type=StepType(type),
        action=_action(action),
        hysteresis=hysteresis,
        weeks=weeks,
        active=active,
        steps=steps,
        created_at=created_at.astimezone(UTC),
        updated_at=updated_at.astimezone(UTC),
        id=id,
        last_triggered_at=last_triggered_at,
    )


def _values(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "team_id": alert.team_id,
        "plan": alert.plan,
        "metric": alert.metric,
        "threshold": alert.threshold,
        "type": str(alert.type),
        "action": _action_text(alert.action),
        "active": alert.active,
        "name": alert.name,
        "kind": str(alert.kind),
        "currency": alert.currency,
        "hysteresis": alert.hysteresis,
        "weeks": alert.weeks,
        "created_at": alert.created_at,
        "updated_at": alert.updated_at,
    }


def _action(stored: dict[str, Any]) -> Action:
    return Action(tuple(stored.get("notify", ())), bool(stored.get("throttle", False)))


def _action_text(action: Action) -> str:
    return dumps({"notify": list(action.notify), "throttle": action.throttle}).decode()


def _stand(row: Sequence[Any]) -> Stand:
    return Stand(*row)._replace(state=State(row[5]))


def _transition(row: Sequence[Any]) -> Transition:
    found = Transition(*row)
    return found._replace(from_state=State(found.from_state), to_state=State(found.to_state), cause=Cause(found.cause))


async def _rows(tx: Connection, statement: SQL | Composed, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    return await (await tx.execute(statement, values)).fetchall()
