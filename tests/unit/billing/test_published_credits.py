"""Published cases of another system's credits, mapped onto ours.

There, usage burns grants as it happens, and what no grant pays waits for the next one. A case is therefore
closed in short periods, one for every stretch in which no grant begins, comes again or ends, and what stays
unpaid is due again in the next. A reset there ends every grant and carries part of it over: here a boundary of
a recurrence that carries over up to the cap, and then a grant of what is carried.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tallystick.billing.credits.burning import Purse, burn
from tallystick.billing.credits.chain import allotments, number_at, replay
from tallystick.billing.credits.models import Creditable, Grant, GrantKind, Recurrence
from tallystick.billing.periods import shifted
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.clock import Interval, parse_instant
from tallystick.core.money import ZERO
from tallystick.pricing import Price, rate

VECTORS = Path(__file__).parents[4] / "shared" / "vectors"
MOMENT = datetime.resolution
FAR = BillingPeriod(PeriodUnit.YEAR, 100)
ON_PURPOSE = {"credits not fully consumed": "what a bill does not need stays on the grant, which is no error"}


def published(wanted):
    if not VECTORS.is_dir():
        return [pytest.param({}, marks=pytest.mark.skip(reason="no ../shared/vectors beside the repository"))]
    cases = [case for name in ("rating_a", "rating_b") for case in json.loads((VECTORS / f"{name}.json").read_text())]
    return [pytest.param(case, id=case.get("id", case["source"].rpartition("/")[2])) for case in filter(wanted, cases)]


# --- Grants through time ---------------------------------------------------------------------------

STEPS = {
    "y": BillingPeriod(PeriodUnit.YEAR),
    "mo": BillingPeriod(PeriodUnit.MONTH),
    "w": BillingPeriod(PeriodUnit.WEEK),
    "d": BillingPeriod(PeriodUnit.DAY),
}
CLOCK = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def parts(pattern, text):
    """The groups of a text that has to match."""
    found = re.fullmatch(pattern, text)
    assert found, text
    return found.groups(default="0")


def moved(moment, unit, count):
    return moment + CLOCK[unit] * count if unit in CLOCK else shifted(moment, STEPS[unit], count)


def lasting(moment, duration):
    """The moment after an ISO 8601 duration."""
    for unit, count in zip(("y", "mo", "w", "d", "h", "m", "s"), parts(DURATION, duration), strict=True):
        moment = moved(moment, unit, int(count))
    return moment


def every(duration):
    """The cadence that an ISO 8601 duration of one unit is."""
    count, letter = parts(r"P(\d+)([YMWD])", duration)
    unit = {"Y": PeriodUnit.YEAR, "M": PeriodUnit.MONTH, "W": PeriodUnit.WEEK, "D": PeriodUnit.DAY}[letter]
    return BillingPeriod(unit, int(count))


class Engine:
    """One case, closed stretch by stretch."""

    def __init__(self, case):
        config = case["config"]
        self.t0 = parse_instant(config["t0"])
        self.start, self.until = self.moment(config["start"]), self.moment(config["until"])
        self.resets = sorted(self.moment(text) for text in config.get("resets", ()))
        self.preserves = config.get("preserve_overage", False)
        self.latest = config.get("aggregation") == "LATEST"
        self.events = [(self.moment(event["at"]), Decimal(event["value"])) for event in case["usage"]]
        self.names, self.rules = {}, {}
        self.grants, self.used = {}, {}
        for number, given in enumerate(config["grants"], 1):
            self.give(number, given)
        self.unpaid, self.total = Decimal(config.get("overage_at_start", "0")), ZERO

    def moment(self, text):
        base, steps = parts(r"(t0|\d{4}-\S+Z)((?:[+-]\d+[a-z]+)*)", text)
        moment = self.t0 if base == "t0" else parse_instant(base)
        for count, unit in re.findall(r"([+-]\d+)([a-z]+)", steps):
            moment = moved(moment, unit, int(count))
        return moment

    def give(self, number, given):
        effective = self.moment(given["effective_at"])
        recurs = given.get("recurrence")
        grant = Grant(
            id=number,
            team_id="acme",
            name=given["id"],
            kind=GrantKind.PAID,
            priority=given["priority"],
            amount=Decimal(given["amount"]),
            currency="USD",
            metric=None,
            metrics=(),
            effective_at=effective,
            expires_at=lasting(effective, given["expires_after"]) if given.get("expires_after") else None,
            recurrence=Recurrence(every(recurs["interval"]), self.moment(recurs["anchor"]), "UTC", ZERO)
            if recurs
            else None,
            reference=None,
            created_at=self.moment(given["created_at"]) if given.get("created_at") else self.t0,
        )
        if voided := given.get("voided_at", given.get("deleted_at")):
            grant = replace(grant, voided_at=self.moment(voided), void_reason="test")
        self.grants[number], self.used[number] = grant, {}
        self.names[number], self.rules[number] = given["id"], given
        if "balance_at_start" in given:
            spent = grant.amount - Decimal(given["balance_at_start"])
            self.used[number][number_at(grant, self.start)] = spent

    def cuts(self):
        found = {self.start, self.until, *self.resets}
        for grant in self.grants.values():
            for allotment in allotments(grant, self.until):
                found |= {allotment.start, allotment.end}
        return sorted(moment for moment in found if self.start <= moment <= self.until)

    def run(self):
        cuts = self.cuts()
        for begin, end in pairwise(cuts):
            if begin in self.resets:
                self.reset(begin)
            self.close(Interval(begin, end))
        if self.until in self.resets:
            self.reset(self.until)

    def close(self, period):
        values = [value for at, value in self.events if period.start <= at < period.end]
        used = values[-1] if self.latest and values else sum(values, ZERO)
        self.total += used
        due = self.unpaid + used
        horizon = period.end - MOMENT
        purses = [Purse(each, replay(each, self.used[number], horizon)) for number, each in self.grants.items()]
        line = Creditable("usage", "m", due, "USD", due, lambda units: units)
        takings = burn([purse for purse in purses if purse.grant.voided_at is None or purse.grant.voided_at > horizon],
                       [line] if due > 0 else [], period)  # fmt: skip
        for taking in takings:
            used = self.used[taking.grant.id]
            used[taking.allotment.number] = used.get(taking.allotment.number, ZERO) + taking.units
        self.unpaid = due - sum((taking.amount for taking in takings), ZERO)

    def reset(self, at):
        for number, grant in list(self.grants.items()):
            if not grant.effective_at < at or at >= (grant.expires_at or datetime.max.replace(tzinfo=UTC)):
                continue
            cap = Decimal(self.rules[number].get("rollover_max", "0"))
            floor = Decimal(self.rules[number].get("rollover_min", "0"))
            ending = replace(grant, recurrence=Recurrence(FAR, at, "UTC", cap))
            carried = max(replay(ending, self.used[number], at)[-2].rolled, floor)
            del self.grants[number]
            if carried:
                self.grants[number] = replace(grant, amount=carried, effective_at=at)
                self.used[number] = {}
        if not self.preserves:
            self.unpaid = ZERO

    def balances(self):
        left = dict.fromkeys(self.names.values(), ZERO)
        for number, grant in self.grants.items():
            left[self.names[number]] += sum((s.available for s in replay(grant, self.used[number], self.until)), ZERO)
        return left


@pytest.mark.parametrize("case", published(lambda case: case["model"] == "credit_grants"))
def test_published_grants_have_the_same_balances(case):
    engine, expected = Engine(case), case["expected"]

    engine.run()

    left = engine.balances()
    assert {name: left[name] for name in expected.get("balances", {})} == {
        name: Decimal(value) for name, value in expected.get("balances", {}).items()
    }
    if "total_balance" in expected:
        assert sum(left.values()) == Decimal(expected["total_balance"])
    if "total_usage_accumulated" in expected:
        assert engine.total == Decimal(expected["total_usage_accumulated"])
    if "overage" in expected:
        assert engine.unpaid == Decimal(expected["overage"])


# --- Credits on a bill -----------------------------------------------------------------------------


def tiers(config):
    names = {"up_to": "up_to", "unit_price": "unit", "flat_fee": "flat"}
    return {"tiers": [{ours: each.get(theirs) for ours, theirs in names.items()} for each in config["tiers"]]}


MODELS = {
    "unit": ("per_unit", lambda config: {"unit_price": config["unit_amount"]}),
    "flat": ("flat", lambda config: {"amount": config["amount"]}),
    "tiered_graduated": ("graduated", tiers),
    "tiered_volume": ("volume", tiers),
    "package": ("package", lambda c: {"package_size": c["package_size"], "package_price": c["package_amount"]}),
}


def price_of(case):
    config = case["config"]
    model, parameters = MODELS[case["model"]]
    limits = config.get("commitments", {})
    optional = {"minimum": limits.get("min"), "maximum": limits.get("max"), "free_units": config.get("free_units")}
    given = parameters(config) | {name: value for name, value in optional.items() if value is not None}
    return Price.from_parameters("m", model, case.get("currency", "USD"), given)


def available(number, amount):
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Grant(number, "acme", "", GrantKind.PAID, 1, Decimal(amount), "USD", None, (), at, None, None, None, at)


@pytest.mark.parametrize("case", published(lambda case: "credits_available" in case.get("context", {})))
def test_published_bills_are_paid_with_the_same_credits(case):
    expected = case["expected"]
    if "error" in expected:
        pytest.skip(ON_PURPOSE[expected["error"]])
    quantity = Decimal(case["usage"])
    total = rate(price_of(case), quantity).total("USD")
    period = Interval(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    grants = [available(*each) for each in enumerate(case["context"]["credits_available"], 1)]
    line = Creditable("usage", "m", total, "USD", quantity, lambda units: units)

    takings = burn([Purse(grant, replay(grant, {}, period.start)) for grant in grants], [line], period)

    paid = sum((taking.amount for taking in takings), ZERO)
    assert paid == Decimal(expected["credits_total"])
    assert total - paid == Decimal(expected["total"])
