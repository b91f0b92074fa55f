from datetime import UTC, datetime

from tallystick.catalog.errors import RetroactiveChange
from tallystick.catalog.models import Change, ChangeKind, Plan
from tallystick.catalog.render import render_plan

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def test_a_plan_reads_as_a_diff():
    plan = Plan(
        NOW,
        [
            Change(ChangeKind.ADD, "metric m", None, {"aggregation": "sum", "unit": "call"}),
            Change(ChangeKind.CHANGE, "price p/m", {"unit_price": "1", "maximum": "9"}, {"unit_price": "2"}, NOW),
            Change(ChangeKind.CORRECT, "price p/n", {"a": "1", "b": "2"}, {"a": "1", "b": "3"}, MARCH, APRIL, True),
            Change(ChangeKind.END, "price p/o", {"unit_price": "1"}, None, effective_to=NOW),
            Change(ChangeKind.UNCHANGED, "plan p"),
        ],
    )
    assert (
        render_plan(plan)
        == """\
+ metric m
    aggregation: sum
    unit: call
~ price p/m from 2026-03-15T12:00:00Z
    unit_price: 1 → 2
    maximum: 9 → (none)
~ price p/n from 2026-03-01T00:00:00Z until 2026-04-01T00:00:00Z (corrected) RETROACTIVE
    b: 2 → 3
- price p/o ends 2026-03-15T12:00:00Z

1 to add, 1 to change, 1 to correct, 1 to end; 1 RETROACTIVE: what past usage counts or costs changes"""
    )


def test_a_plan_without_differences_says_so():
    assert render_plan(Plan(NOW, [Change(ChangeKind.UNCHANGED, "plan p")])) == "no changes"


def test_what_is_retroactive_is_refused_in_one_line():
    error = RetroactiveChange(["price p/n from 2026-03-01T00:00:00Z", "metric m from 2026-03-02T00:00:00Z"])
    assert "\n" not in str(error)
    assert error.details() == {"subjects": error.subjects}
    assert (error.status, error.exit_code) == (409, 2)
