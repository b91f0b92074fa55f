"""What can be an alert, and what can't: every refusal names the field and says what is allowed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tallystick.alerts.models import Action, Kind, State, StepType
from tallystick.alerts.terms import AlertTerms, StepTerms, made, read_step
from tallystick.core.errors import InvalidInput

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
BUDGET = AlertTerms(Kind.COST, Decimal(1000), team_id="acme", currency="USD")
USAGE = AlertTerms(Kind.USAGE, Decimal(100), team_id="acme", metric="api_calls")


def percent(number, **terms):
    return StepTerms(percent=Decimal(number), **terms)


@pytest.mark.parametrize(
    ("terms", "field", "message"),
    [
        (replace(USAGE, metric=None), "metric", "needs a metric"),
        (replace(USAGE, threshold=Decimal(0)), "threshold_value", "above 0"),
        (replace(USAGE, threshold=Decimal("1e30")), "threshold_value", "below 10"),
        (replace(USAGE, currency="USD"), "currency", "no money"),
        (replace(USAGE, plan="growth"), "plan", "a team, a plan or all teams"),
        (replace(USAGE, hysteresis=Decimal(100)), "hysteresis", "from 0 to below 100"),
        (replace(USAGE, weeks=3), "weeks", "only a rate"),
        (replace(USAGE, name="a\nb"), "name", "printable"),
        (replace(BUDGET, currency="XYZZ"), "currency", "not a currency"),
        (replace(BUDGET, team_id=None, currency=None), "currency", "needs a currency"),
        (AlertTerms(Kind.CREDIT_BALANCE, Decimal(1), team_id="acme"), "currency", "give currency, or metric"),
        (AlertTerms(Kind.RATE, Decimal(0), metric="m"), "threshold_value", "a change in percent"),
        (AlertTerms(Kind.RATE, Decimal(-101), metric="m"), "threshold_value", "a change in percent"),
        (AlertTerms(Kind.ABSENCE, Decimal("0.5")), "threshold_value", "minutes"),
        (replace(USAGE, steps=(percent(50), percent(50))), "steps", "the same limit"),
        (replace(USAGE, steps=(percent(0),)), "steps.0", "percent must be above 0"),
        (replace(USAGE, steps=(percent(1), StepTerms(Decimal(1), Decimal(1)))), "steps.1", "not both"),
        (replace(USAGE, steps=(percent(1, action=Action(throttle=True)),)), "steps.0", "only a hard step throttles"),
        (replace(USAGE, steps=tuple(percent(n) for n in range(1, 30))), "steps", "at most 20 steps"),
        (
            AlertTerms(Kind.RATE, Decimal(50), metric="m", type=StepType.HARD, action=Action(throttle=True)),
            "steps.0",
            "can throttle",
        ),
        (
            AlertTerms(Kind.ABSENCE, Decimal(61), steps=(percent(50),)),
            "steps.0",
            "whole minutes",
        ),
        (
            AlertTerms(Kind.RATE, Decimal(50), metric="m", steps=(StepTerms(value=Decimal(-5)),)),
            "steps.0",
            "the same way",
        ),
    ],
)
def test_what_can_not_be_an_alert_is_refused_with_its_field(terms, field, message):
    with pytest.raises(InvalidInput, match=message) as refused:
        made(terms, NOW)
    assert refused.value.field == field


def test_an_alert_without_steps_has_one_at_its_threshold():
    alert = made(replace(USAGE, type=StepType.HARD, action=Action(("ops",), throttle=True)), NOW)

    [step] = alert.steps
    assert (alert.limit(step), step.type, step.action) == (Decimal(100), StepType.HARD, Action(("ops",), throttle=True))
    assert alert.severity(step) is State.EXCEEDED


def test_an_alert_without_a_name_says_what_it_watches():
    assert made(USAGE, NOW).name == "usage of api_calls, acme"
    assert made(replace(BUDGET, team_id=None, plan="growth"), NOW).name == "cost, plan growth"
    assert made(AlertTerms(Kind.ABSENCE, Decimal(60)), NOW).name == "absence, all teams"


@pytest.mark.parametrize(
    ("kind", "threshold", "limit", "state"),
    [
        (Kind.USAGE, 100, 80, State.WARNING),
        (Kind.USAGE, 100, 100, State.EXCEEDED),
        (Kind.USAGE, 100, 120, State.EXCEEDED),
        (Kind.CREDIT_BALANCE, 100, 150, State.WARNING),
        (Kind.CREDIT_BALANCE, 100, 100, State.EXCEEDED),
        (Kind.CREDIT_BALANCE, 100, 0, State.EXCEEDED),
        (Kind.RATE, -50, -20, State.WARNING),
        (Kind.RATE, -50, -80, State.EXCEEDED),
    ],
)
def test_a_step_short_of_the_threshold_is_a_warning(kind, threshold, limit, state):
    steps = (StepTerms(value=Decimal(limit)),)
    alert = made(AlertTerms(kind, Decimal(threshold), metric="m", team_id="acme", steps=steps), NOW)

    assert alert.severity(alert.steps[0]) is state


def test_a_step_that_compares_the_same_stays_the_same_step():
    before = made(replace(USAGE, steps=(percent(80), percent(100))), NOW)
    before = replace(before, id=7, steps=tuple(replace(step, id=n) for n, step in enumerate(before.steps, start=1)))

    doubled = made(replace(USAGE, threshold=Decimal(200), steps=(percent(40), percent(100))), NOW, before)
    told_elsewhere = made(replace(USAGE, steps=(percent(80, action=Action(("ops",))), percent(100))), NOW, before)
    other_metric = made(replace(USAGE, metric="other", steps=(percent(80), percent(100))), NOW, before)

    assert [step.id for step in doubled.steps] == [1, 0]
    assert [step.id for step in told_elsewhere.steps] == [1, 2]
    assert [step.id for step in other_metric.steps] == [0, 0]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("80%", percent(80)),
        ("80 % : email, slack", percent(80, action=Action(("email", "slack")))),
        ("120%:throttle", percent(120, type=StepType.HARD, action=Action(throttle=True))),
        ("1500.5", StepTerms(value=Decimal("1500.5"))),
        ("-30:ops", StepTerms(value=Decimal(-30), action=Action(("ops",)))),
    ],
)
def test_a_step_is_read_as_a_command_line_writes_it(text, step):
    assert read_step(text) == step


@pytest.mark.parametrize("text", ["", "%", ":email", "abc", "80%%", "nan", "80 90"])
def test_what_is_no_step_is_refused(text):
    with pytest.raises(InvalidInput):
        read_step(text)
