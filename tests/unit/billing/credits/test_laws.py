"""Laws of credits, for any grants and any usage."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.billing.credits.burning import Purse, burn, order
from tallystick.billing.credits.chain import Slot, capacity, replay, take
from tallystick.billing.credits.models import GrantKind
from tallystick.billing.credits.posting import Account, settlement
from tallystick.catalog.models import PeriodUnit
from tallystick.core.clock import Interval
from tallystick.core.money import ZERO

from .grants import MARCH, grant, line, monthly

DAY = timedelta(days=1)
cents = st.decimals(0, 200, places=2)
days = st.integers(0, 120)


@st.composite
def grants(draw, number=1):
    starts, lasts = draw(days), draw(st.none() | st.integers(1, 90))
    unit = draw(st.none() | st.sampled_from([PeriodUnit.WEEK, PeriodUnit.MONTH]))
    cap = draw(st.sampled_from(["0", "25", "1000"]))
    usage = draw(st.booleans())
    begins = MARCH + starts * DAY
    return grant(
        str(draw(st.decimals("0.01", 100, places=2))),
        id=number,
        metric="calls" if usage else None,
        metrics=() if usage else draw(st.sampled_from([(), ("calls",)])),
        priority=draw(st.integers(0, 2)),
        kind=draw(st.sampled_from(GrantKind)),
        effective_at=begins,
        expires_at=None if lasts is None else begins + lasts * DAY,
        recurrence=unit and monthly(cap, MARCH + draw(days) * DAY, unit),
    )


@st.composite
def lines(draw):
    found = []
    for number, metric in enumerate(draw(st.lists(st.sampled_from(["calls", "storage", None]), max_size=3))):
        price = draw(st.sampled_from([Decimal(1), Decimal("0.5"), Decimal(3)]))
        quantity = draw(st.integers(1, 100))
        amount = str(price * quantity)
        found.append(
            line(amount, str(number), quantity=str(quantity), metric=metric, value_of=lambda n, p=price: n * p)
        )
    return found


@st.composite
def histories(draw):
    """Grants, and periods that close, in any order, with their lines."""
    many = draw(st.integers(1, 4))
    periods = [Interval(MARCH + n * 30 * DAY, MARCH + (n + 1) * 30 * DAY) for n in range(4)]
    closings = [(period, draw(lines())) for period in draw(st.permutations(periods))]
    return [draw(grants(number)) for number in range(1, many + 1)], closings


def played(given, closings):
    """Every closing's takings, and what was used of each grant in the end."""
    used: dict[int, dict[int, Decimal]] = {each.id: {} for each in given}
    horizon = MARCH
    takings = []
    for period, bill in closings:
        horizon = max(horizon, period.end)
        purses = [Purse(each, replay(each, used[each.id], horizon)) for each in given]
        found = burn(purses, bill, period)
        for taking in found:
            of = used[taking.grant.id]
            of[taking.allotment.number] = of.get(taking.allotment.number, ZERO) + taking.units
        assert [purse.slots for purse in purses] == [replay(each, used[each.id], horizon) for each in given]
        takings.append((period, bill, found))
    return takings, used


@given(histories())
@settings(max_examples=300, deadline=None)
def test_credits_never_exceed_grants_whatever_the_order_of_closing(history):
    given_, closings = history
    _, used = played(given_, closings)

    for each in given_:
        for slot in replay(each, used[each.id], MARCH + 200 * DAY):
            parts = (slot.used, slot.rolled, slot.expired, slot.voided, slot.available, slot.carried)
            assert min(parts) >= 0
            assert slot.carried + slot.allotment.amount == sum(parts[:5])


@given(histories())
@settings(max_examples=200, deadline=None)
def test_no_line_is_paid_more_than_it_comes_to_nor_by_what_may_not_pay_it(history):
    takings, _ = played(*history)

    for period, bill, found in takings:
        paid: dict[str, Decimal] = defaultdict(Decimal)
        for taking in found:
            assert taking.grant.pays(taking.line)
            assert taking.grant.effective_at < period.end
            assert taking.grant.expires_at is None or taking.grant.expires_at > period.start
            paid[taking.line.key] += taking.amount
        assert all(paid[each.key] <= each.amount for each in bill)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_what_comes_first_in_the_order_is_empty_before_the_next_pays_the_same_line(history):
    given_, [(period, bill), *_] = history
    purses = [Purse(each, replay(each, {}, period.end - timedelta.resolution)) for each in given_]
    ranks = {(purse.grant.id, place): rank for rank, (purse, place) in enumerate(order(purses, period))}

    found = burn(purses, bill, period)

    for taking in found:
        mine = ranks[taking.grant.id, taking.allotment.number]
        for purse, place in order(purses, period):
            before = ranks[purse.grant.id, place] < mine
            if before and purse.grant.pays(taking.line) and purse.grant.currency is not None:
                assert capacity(purse.slots, place) == 0


@given(grants(), st.integers(0, 150), st.lists(st.tuples(st.integers(0, 20), cents), max_size=6))
@settings(max_examples=300, deadline=None)
def test_taking_is_replaying(each, horizon, takes):
    until, used = max(MARCH + horizon * DAY, each.effective_at), dict[int, Decimal]()
    slots = replay(each, used, until)

    for wanted, amount in takes:
        place = min(wanted, len(slots) - 1)
        part = min(amount, capacity(slots, place))
        take(slots, place, part)
        used[place] = used.get(place, ZERO) + part

        assert slots == replay(each, used, until)


@given(grants(), st.lists(st.tuples(st.integers(0, 150), st.integers(0, 20), cents), max_size=6), st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_is_booked_step_by_step_sums_to_zero_and_is_what_replaying_says(each, steps, voided):
    """Facts that come late are booked as differences; the accounts end up as if all had been known."""
    accounts: dict[tuple[int, Account], Decimal] = defaultdict(Decimal)
    used: dict[int, Decimal] = defaultdict(Decimal)
    until, booked = each.effective_at, list[Slot]()

    def book(postings):
        for posting in postings:
            assert sum(entry.amount for entry in posting.entries) == 0
            for entry in posting.entries:
                accounts[entry.allotment, entry.account] += entry.amount

    def settle(since=MARCH):
        nonlocal booked
        after = replay(each, used, until)
        book(settlement(each, booked, after, since))
        booked = after

    settle()
    for later, wanted, amount in steps:
        until = max(until, MARCH + later * DAY)
        settle()
        place = min(wanted, len(booked) - 1)
        part = min(amount, capacity(booked, place))
        used[place] += part
        accounts[place, Account.AVAILABLE] -= part
        accounts[place, Account.USED] += part
        settle(since=until)
    if voided:
        each = replace(each, voided_at=until, void_reason="r")
        settle()

    assert sum(accounts.values()) == 0
    for slot in booked:
        number = slot.allotment.number
        assert accounts[number, Account.AVAILABLE] == slot.available
        assert accounts[number, Account.USED] == slot.used
        assert accounts[number, Account.EXPIRED] == slot.expired
        assert accounts[number, Account.VOIDED] == slot.voided
        assert accounts[number, Account.ISSUED] == -slot.allotment.amount
