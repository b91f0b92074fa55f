"""Published billing-period cases of another system, mapped onto our schedules.

What is translated: there an anniversary is a day, so ours is that day's local midnight; a run in arrears
bills the period before the one that holds the moment of the run, a run in advance, of an ended subscription,
or for current usage that period itself; ends are printed as the last second.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tallystick.billing.periods import Schedule
from tallystick.catalog.models import Anchor, BillingPeriod, PeriodUnit
from tallystick.core.clock import local_midnight, parse_instant, zone

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
SECOND = timedelta(seconds=1)
CADENCES = {
    "weekly": BillingPeriod(PeriodUnit.WEEK),
    "monthly": BillingPeriod(PeriodUnit.MONTH),
    "quarterly": BillingPeriod(PeriodUnit.QUARTER),
    "semiannual": BillingPeriod(PeriodUnit.MONTH, 6),
    "yearly": BillingPeriod(PeriodUnit.YEAR),
}


def published(kind):
    if not VECTORS.is_dir():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no ../shared/vectors beside the repository"))]
    cases = json.loads((VECTORS / "periods_b.json").read_text())
    return [pytest.param(case, id=case["id"]) for case in cases if case["kind"] == kind]


def day_of(text, tz):
    """The local midnight before the instant."""
    return local_midnight(parse_instant(text).astimezone(tz).date(), tz)


def schedule_of(case, cadence):
    tz = zone(case["timezone"])
    anchored_at = day_of(case["subscription_at"], tz)
    billed_until = None
    if previous := case.get("previous_invoice"):
        billed_until = parse_instant(previous["charges_to"]) + SECOND
    return Schedule(CADENCES[cadence], Anchor(case["billing_time"]), anchored_at, None, tz, anchored_at, billed_until)


class Run:
    """What one billing run says about one family of amounts: '', 'charges' or 'fixed_charges'."""

    def __init__(self, case, family):
        cadence = "monthly" if case.get(f"bill_{family}_monthly") else case["interval"]
        self.schedule = schedule_of(case, cadence)
        self.current = self.schedule.period_containing(parse_instant(case["billing_at"]))
        self.previous = self.schedule.period_containing(self.current.start - SECOND)
        in_advance = case["pay_in_advance"] and not family
        itself = in_advance or case["terminated_at"] or case.get("current_usage")
        self.billed = self.current if itself else self.previous
        self.started = parse_instant(case["started_at"]) if family else day_of(case["started_at"], self.schedule.zone)
        self.ended = parse_instant(case["terminated_at"]) if case["terminated_at"] else None

    def found(self, field):
        match field:
            case "from":
                return max(self.billed.start, self.started)
            case "to":
                return self.ended or self.billed.end - SECOND
            case "duration_days":
                tz = self.schedule.zone
                return (self.billed.end.astimezone(tz).date() - self.billed.start.astimezone(tz).date()).days
            case "next_end_of_period":
                return self.current.end - SECOND
            case "current_beginning_of_period":
                return self.current.start
            case "previous_beginning_of_period":
                return self.previous.start


def split(key):
    """A field's family and name: `charges_from` is the `from` of `charges`."""
    for family in ("fixed_charges", "charges"):
        if key.startswith(f"{family}_"):
            return family, key.removeprefix(f"{family}_")
    return "", key


@pytest.mark.parametrize("case", published("boundaries"))
def test_published_period_has_the_same_boundaries(case):
    for key, expected in case["expected"].items():
        family, field = split(key)
        if expected is not None:
            value = expected if isinstance(expected, int) else parse_instant(expected)
            assert Run(case, family).found(field) == value, key


@pytest.mark.parametrize("case", published("billing_due"))
def test_published_billing_days_are_the_days_on_which_a_period_begins(case):
    schedule = schedule_of(case, case["interval"])

    def begun_today(text):
        moment = parse_instant(text).astimezone(schedule.zone)
        period = schedule.period_containing(moment)
        begun: datetime | None = period.start.astimezone(schedule.zone) if period and period.number else None
        return begun if begun and begun.date() == moment.date() else None

    begun = {begun_today(text) for text in case["due_at"]}

    assert None not in begun
    assert len(begun) == case["expected"]["invoices"]
    assert [begun_today(text) for text in case["not_due_at"]] == [None] * len(case["not_due_at"])
