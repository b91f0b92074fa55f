from datetime import UTC, datetime, timedelta

import pytest

from tallystick.catalog.errors import Position
from tallystick.catalog.models import Anchor, Origin, TeamEntry
from tallystick.catalog.subscriptions import MisfitError, Subscription, subscribe

NOW = 100
OPEN = None


def day(n):
    return None if n is None else datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n)


def entry(plan, start=None, end=None, anchor=Anchor.CALENDAR):
    origin = Origin(Position("f.yaml", 7, 3, "teams.t"), {"start": Position("f.yaml", 9, 5, "teams.t.start")})
    return TeamEntry("t", None, None, plan, day(start), day(end), anchor, origin)


def outcome(wanted, *held):
    stored = [
        Subscription(plan, Anchor.CALENDAR, day(start), day(end), i) for i, (plan, start, end) in enumerate(held, 1)
    ]
    return subscribe(wanted, wanted.plan, "UTC", stored, day(NOW))


def spans(subscriptions):
    def number(moment):
        return None if moment is None else (moment - day(0)).days

    return [(s.plan, number(s.start), number(s.end)) for s in subscriptions]


def case(name, wanted, held, expected, *kinds):
    return pytest.param(wanted, held, expected, kinds, id=name)


STANDING = [("a", 30, OPEN)]
SWITCHED = [("a", 30, NOW), ("b", NOW, OPEN)]
PLANNED = [("a", 30, 120), ("b", 120, OPEN)]
CASES = [
    case("the first begins now", entry("a"), [], [("a", NOW, OPEN)], "add"),
    case("or at its start, past or to come", entry("a", 30, 200), [], [("a", 30, 200)], "add"),
    case("the same goes on", entry("a"), STANDING, STANDING, "unchanged"),
    case("and with its start", entry("a", 30), STANDING, STANDING, "unchanged"),
    case("another plan follows now", entry("b"), STANDING, SWITCHED, "change"),
    case("also under the old start", entry("b", 30), STANDING, SWITCHED, "change"),
    case("and then goes on under it", entry("b", 30), SWITCHED, SWITCHED, "unchanged"),
    case("another plan follows at its start", entry("b", 120), STANDING, PLANNED, "change"),
    case("and is not begun twice", entry("b", 120), PLANNED, PLANNED, "unchanged"),
    case("it can be put off", entry("b", 150), PLANNED, [("a", 30, 150), ("b", 150, OPEN)], "end", "change"),
    case("or taken back", entry("a", 30), PLANNED, STANDING, "end", "unchanged"),
    case("or begin earlier than planned", entry("a", 110), [("a", 120, OPEN)], [("a", 110, OPEN)], "end", "add"),
    case("one that was ended stays ended", entry("a", 30), [("a", 30, 90)], [("a", 30, 90)], "unchanged"),
    case("also under another plan", entry("b"), [("a", 30, 90)], [("a", 30, 90)], "unchanged"),
    case("until a start after its end", entry("a", 95), [("a", 30, 90)], [("a", 30, 90), ("a", 95, OPEN)], "add"),
    case("an end that is planned is kept", entry("a", 30), [("a", 30, 120)], [("a", 30, 120)], "unchanged"),
    case("an end can be set", entry("a", 30, 120), STANDING, [("a", 30, 120)], "change"),
    case("it holds for what follows", entry("b"), [("a", 30, 120)], [("a", 30, NOW), ("b", NOW, 120)], "change"),
    case("a gap stays", entry("b", 150), [("a", 30, 120)], [("a", 30, 120), ("b", 150, OPEN)], "change"),
    case("two at one instant leave one", entry("b"), [("a", NOW, OPEN)], [("b", NOW, OPEN)], "change"),
]


@pytest.mark.parametrize(("wanted", "held", "expected", "kinds"), CASES)
def test_the_file_decides_which_plan_a_team_is_on(wanted, held, expected, kinds):
    subscriptions, changes = outcome(wanted, *held)
    assert spans(subscriptions) == expected
    assert tuple(str(change.kind) for change in changes) == kinds


def test_another_anchor_is_another_subscription():
    subscriptions, _ = outcome(entry("a", 30, anchor=Anchor.ANNIVERSARY), ("a", 30, OPEN))
    assert [(s.anchor, s.start) for s in subscriptions] == [
        (Anchor.CALENDAR, day(30)),
        (Anchor.ANNIVERSARY, day(NOW)),
    ]


def test_changing_the_plan_in_the_past_is_retroactive():
    _, (change,) = outcome(entry("b", 60), ("a", 30, OPEN))
    assert change.retroactive
    _, (change,) = outcome(entry("a", 30, 60), ("a", 30, OPEN))
    assert change.retroactive
    _, (change,) = outcome(entry("b", NOW), ("a", 30, OPEN))
    assert not change.retroactive


def test_a_start_can_not_move_back():
    with pytest.raises(MisfitError) as raised:
        outcome(entry("a", 20), ("a", 30, OPEN))
    assert str(raised.value.problem) == (
        "f.yaml:9: teams.t.start: can't move back: the team's first subscription began at 2026-01-31T00:00:00Z"
    )


def test_an_end_comes_after_the_start():
    with pytest.raises(MisfitError, match="must be after the start, 2026-01-31T00:00:00Z"):
        outcome(entry("a", 30, 30))


def test_a_date_begins_at_midnight_where_the_team_is():
    wanted = TeamEntry("t", None, None, "a", day(0).date(), None, Anchor.CALENDAR, Origin(Position("f", 1, 1, "t")))
    (subscription,) = subscribe(wanted, "a", "Asia/Kathmandu", [], day(NOW)).subscriptions
    assert subscription.start == datetime(2025, 12, 31, 18, 15, tzinfo=UTC)
