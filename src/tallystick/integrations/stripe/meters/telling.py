"""What people are told about the outbox, in the transaction that found it: lanes that are held, what is quarantined.

It is for who runs the installation, not for the team that it is about: it goes to the installation's channels.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tallystick.core.money import plain
from tallystick.integrations.stripe.notices import notice
from tallystick.integrations.stripe.outcomes import Class, Outcome
from tallystick.notifications import Notification

if TYPE_CHECKING:
    from tallystick.integrations.stripe.meters.recording import Line
    from tallystick.integrations.stripe.meters.rows import AtRisk


def held(lines: Sequence["Line"], now: datetime) -> Iterator[Notification]:
    """That lanes wait for somebody to put something right: once a day for each cause and team."""
    for line in lines:
        last = line.tried[-1].outcome if line.tried else None
        if last is None or last.kind not in (Class.CLOCK, Class.CONFIGURATION):
            continue
        if last.is_about_account:
            yield _account_held(line.lane.account, last, now)
            continue
        cause = hashlib.sha256(f"{line.lane.account}:{last.kind}:{last.code}".encode()).hexdigest()[:16]
        yield notice(
            "held",
            f"{line.lane.team_id}:{cause}:{now:%Y-%m-%d}",
            now,
            title=f"Stripe is not told usage of {line.lane.team_id}",
            text=f"{last.message or last.kind}. Nothing is lost: it is sent when that is put right.",
            facts={"Metric": line.lane.metric, "Customer": line.lane.customer_id},
        )


def quarantined(lines: Sequence["Line"], now: datetime) -> Iterator[Notification]:
    """That Stripe will not take a delta as it is."""
    for line in lines:
        for delta, outcome in line.tried:
            if outcome.kind is Class.POISON and delta.doubt_since is None:
                yield notice(
                    "quarantined",
                    delta.identifier,
                    now,
                    title=f"Stripe refuses usage of {line.lane.team_id}",
                    text=f"{outcome.message}. It is kept; what comes after it goes on.",
                    facts={"Metric": line.lane.metric, "Quantity": plain(delta.quantity), "Delta": str(delta.id)},
                )


def rejected(team_id: str, reason: str, deltas: int, now: datetime) -> Notification:
    """That Stripe did not count what it had said yes to: once a day for each reason and team."""
    cause = hashlib.sha256(reason.encode()).hexdigest()[:16]
    return notice(
        "rejected",
        f"{team_id}:{cause}:{now:%Y-%m-%d}",
        now,
        title=f"Stripe did not count usage of {team_id}",
        text=f"{reason}. It had said yes before. It is kept here, and told again where that helps.",
        facts={"Deltas named": str(deltas)},
    )


def at_risk(risks: Iterable["AtRisk"], now: datetime) -> Iterator[Notification]:
    """That usage will soon be too late for its period's invoice: once for each of its last instants."""
    for risk in risks:
        why = f" It waits: {risk.hold}" if risk.hold else ""
        yield notice(
            "deadline",
            f"{risk.team_id}:{risk.deadline:%Y-%m-%dT%H:%MZ}",
            now,
            title=f"Usage of {risk.team_id} has to reach Stripe by {risk.deadline:%Y-%m-%d %H:%M} UTC",
            text=f"After that it is late for its invoice, and the team's policy for late usage decides.{why}",
            facts={"Deltas": str(risk.deltas)},
        )


def _account_held(account: str, outcome: Outcome, now: datetime) -> Notification:
    """That the key is not good: once a day, whoever's usage found out."""
    return notice(
        "held",
        f"{account}:{outcome.status}:{now:%Y-%m-%d}",
        now,
        title="Stripe is told no usage",
        text=f"{outcome.message or outcome.kind}. Nothing is lost: it is sent when that is put right.",
        facts={"Account": account},
    )
