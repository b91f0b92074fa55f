"""What people are told of a difference: the numbers, and what is done about it."""

from datetime import datetime

from tallystick.core.money import plain
from tallystick.integrations.stripe.notices import notice
from tallystick.integrations.stripe.reconciling.models import Comparison, Drift
from tallystick.notifications import Notification

MEANING = {
    Drift.MISSING: "Stripe said yes to usage that it does not count.",
    Drift.EXTRA: "Stripe counts usage twice.",
    Drift.FOREIGN: "Stripe counts usage that was never sent from here.",
}


def drifted(found: Comparison, now: datetime) -> Notification:
    """That Stripe's sum differs: once for each sum that it shows."""
    lane, sums = found.lane, found.sums
    repaired = f" {found.detail}." if found.detail else ""
    return notice(
        "drift",
        f"{lane.id}:{found.interval.start:%Y-%m-%dT%H:%MZ}:{found.drift}:{plain(sums.stripe)}",
        now,
        title=f"Stripe differs for {lane.team_id}: {lane.metric} by {plain(found.absolute)}",
        text=MEANING[found.drift] + repaired,
        facts={
            "Here": plain(sums.local),
            "Stripe": plain(sums.stripe),
            "Since": f"{found.interval.start:%Y-%m-%d %H:%M} UTC",
        },
        urgent=found.repaired == 0,
        drift=str(found.drift),
        metric=lane.metric,
        local=sums.local,
        stripe=sums.stripe,
        repaired=found.repaired,
    )
