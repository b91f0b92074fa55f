"""A grant through time: allotments, what is carried over, what expires, what a void leaves."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tallystick.billing.credits.balances import balance_of as balance_typed
from tallystick.billing.credits.chain import allotments, boundary_at, next_event, number_at
from tallystick.billing.credits.chain import replay as replay_typed
from tallystick.billing.credits.models import NEVER, Recurrence
from tallystick.catalog.models import BillingPeriod, PeriodUnit
from tallystick.core.money import ZERO

from .grants import APRIL, MARCH, MAY, grant, monthly

MOMENT = datetime.resolution


def replay(of, used, until):
    """The slots; untyped, so that their decimals can be compared with whole numbers."""
    return replay_typed(of, used, until)


def balance_of(of, used, at):
    return balance_typed(of, used, at)


def available(of, at, used=None):
    return sum((slot.available for slot in replay(of, used or {}, at)), ZERO)


def test_a_grant_is_in_force_from_its_first_instant_to_the_one_before_it_expires():
    of = grant("100", effective_at=MARCH, expires_at=APRIL)

    assert [available(of, at) for at in (MARCH - MOMENT, MARCH, APRIL - MOMENT, APRIL)] == [0, 100, 100, 0]


def test_a_grant_without_an_expiry_stays():
    [slot] = replay(grant("100"), {0: Decimal(30)}, MAY)

    assert (slot.available, slot.used) == (70, 30)
    assert next_event([slot], MAY) == NEVER


def test_a_recurring_grant_is_given_anew_and_what_is_left_expires():
    of = grant("100", recurrence=monthly())

    march, april = replay(of, {0: Decimal(30)}, APRIL)

    assert (march.used, march.expired, march.available) == (30, 70, 0)
    assert april.available == 100
    assert next_event([march, april], APRIL) == MAY


@pytest.mark.parametrize(("left", "carried", "expired"), [("70", "50", "20"), ("50", "50", "0"), ("30", "30", "0")])
def test_what_is_left_is_carried_over_up_to_the_cap(left, carried, expired):
    of = grant("100", recurrence=monthly(cap="50"))

    march, april = replay(of, {0: 100 - Decimal(left)}, APRIL)

    assert (march.rolled, march.expired) == (Decimal(carried), Decimal(expired))
    assert april.available == 100 + Decimal(carried)


def test_what_was_carried_over_counts_towards_the_next_cap_too():
    of = grant("100", recurrence=monthly(cap="50"))

    assert [slot.rolled for slot in replay(of, {}, datetime(2026, 7, 1, tzinfo=UTC))] == [50, 50, 50, 50, 0]


def test_nothing_is_carried_over_the_grant_s_own_end():
    of = grant("100", recurrence=monthly(cap="50"), expires_at=MAY)

    march, april = replay(of, {}, MAY)

    assert (march.rolled, april.expired, april.rolled) == (50, 150, 0)
    assert next_event([march, april], MAY) == NEVER


def test_a_grant_may_begin_between_two_boundaries_and_end_between_two():
    of = grant(
        "100",
        recurrence=monthly(anchor=datetime(2026, 1, 10, tzinfo=UTC)),
        effective_at=MARCH,
        expires_at=MAY,
    )

    assert [(each.start.day, each.end.day) for each in allotments(of, NEVER)] == [
        (1, 10),
        (10, 10),
        (10, 1),
    ]


def test_boundaries_are_counted_from_the_anchor_in_wall_time():
    end_of_month = Recurrence(
        BillingPeriod(PeriodUnit.MONTH), datetime(2026, 1, 31, 5, tzinfo=UTC), "America/New_York", ZERO
    )
    of = grant("1", recurrence=end_of_month, effective_at=datetime(2026, 1, 31, 5, tzinfo=UTC))

    starts = [each.start for each in allotments(of, datetime(2026, 5, 1, tzinfo=UTC))]

    assert [(at.month, at.day, at.hour) for at in starts] == [(1, 31, 5), (2, 28, 5), (3, 31, 4), (4, 30, 4)]


@pytest.mark.parametrize("unit", list(PeriodUnit))
@pytest.mark.parametrize("every", [1, 3, 100])
def test_every_moment_has_one_boundary_before_it(unit, every):
    recurrence = Recurrence(BillingPeriod(unit, every), datetime(2024, 2, 29, 13, tzinfo=UTC), "Europe/Berlin", ZERO)
    of = grant("1", recurrence=recurrence, effective_at=datetime(2001, 7, 3, tzinfo=UTC))

    for days in range(0, 36_500, 997):
        moment = of.effective_at + timedelta(days=days)
        [here] = list(allotments(of, moment, first=number_at(of, moment)))
        assert here.start <= moment < here.end
        assert boundary_at(recurrence, moment) == boundary_at(recurrence, here.start)


def test_a_local_day_that_is_skipped_gives_nothing():
    daily = Recurrence(BillingPeriod(PeriodUnit.DAY), datetime(2011, 12, 1, 10, tzinfo=UTC), "Pacific/Apia", ZERO)
    of = grant("1", recurrence=daily, effective_at=datetime(2011, 12, 1, 10, tzinfo=UTC))

    in_december = [each.amount for each in allotments(of, datetime(2011, 12, 31, 9, tzinfo=UTC))]

    assert len(in_december) == 31
    assert sum(in_december) == 30


# --- Voids -----------------------------------------------------------------------------------------


def test_a_void_takes_what_is_left_and_ends_the_recurrence():
    middle = datetime(2026, 3, 15, tzinfo=UTC)
    of = grant("100", recurrence=monthly(cap="50"), voided_at=middle, void_reason="r")

    [march] = replay(of, {0: Decimal(30)}, MAY)

    assert (march.used, march.voided, march.available, march.rolled) == (30, 70, 0, 0)


def test_a_grant_voided_before_it_begins_is_never_available():
    of = grant("100", effective_at=APRIL, voided_at=MARCH, void_reason="r")

    [slot] = replay(of, {}, MAY)

    assert (slot.voided, slot.available) == (100, 0)
    assert balance_of(of, {}, MARCH).balance.pending == 0


def test_a_past_balance_knows_nothing_of_a_later_void():
    of = grant("100", voided_at=APRIL, void_reason="r")

    before, after = balance_of(of, {}, APRIL - MOMENT), balance_of(of, {}, APRIL)

    assert (before.balance.available, before.balance.voided, before.grant.voided_at) == (100, 0, None)
    assert (after.balance.available, after.balance.voided) == (0, 100)


def test_a_balance_says_what_is_to_come_and_when_what_there_is_lapses():
    of = grant("100", effective_at=APRIL, expires_at=MAY)

    assert balance_of(of, {}, MARCH).balance == (0, 0, 0, 0, 0, 100)
    assert balance_of(of, {}, APRIL).lapses_at == MAY
    assert balance_of(of, {}, MAY).balance == (100, 0, 100, 0, 0, 0)
