"""The state machine of a step, by its laws."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallystick.alerts.models import Kind, Stand, State, worst
from tallystick.alerts.states import changes, next_state
from tallystick.alerts.terms import AlertTerms, StepTerms, made

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
NUMBERS = st.decimals(-1000, 1000, places=2)


def alert(kind=Kind.USAGE, threshold=100, hysteresis=0, *limits):
    steps = tuple(StepTerms(value=Decimal(limit)) for limit in limits)
    terms = AlertTerms(
        kind, Decimal(threshold), metric="m", team_id="acme", hysteresis=Decimal(hysteresis), steps=steps
    )
    found = made(terms, NOW)
    return replace(found, steps=tuple(replace(step, id=n) for n, step in enumerate(found.steps, start=1)))


class Life:
    """One period of an alert, as it is stored."""

    def __init__(self, of):
        self.alert, self.told = of, []
        self.stands: dict[int, Stand] = {}

    def sees(self, value):
        found = changes(self.alert, self.stands, value)
        for each in found:
            self.stands[each.step.id] = Stand(
                each.step.id, "acme", NOW, None, 1, each.after, value, NOW, each.crossings, each.resolutions
            )
            if each.told:
                self.told.append((each.step.id, each.after))
        return found

    @property
    def state(self):
        return worst([stand.state for stand in self.stands.values()])


@given(st.lists(st.none() | NUMBERS), st.sampled_from([0, 5, 50]))
def test_each_step_tells_a_crossing_and_a_resolution_at_most_once(values, hysteresis):
    life = Life(alert(Kind.USAGE, 100, hysteresis, 50, 100, 200))
    for value in values:
        life.sees(value)

    assert len(life.told) == len(set(life.told))


@given(st.lists(NUMBERS, min_size=1), st.sampled_from([Kind.USAGE, Kind.CREDIT_BALANCE]))
def test_without_hysteresis_the_last_value_alone_decides_whether_a_limit_is_crossed(values, kind):
    life = Life(alert(kind, 100, 0, 50, 100, 200))
    for value in values:
        life.sees(value)

    crossed = {step for step, stand in life.stands.items() if stand.state.crossed}
    last = values[-1]
    reached = {
        step.id
        for step in life.alert.steps
        if (last <= life.alert.limit(step) if kind is Kind.CREDIT_BALANCE else last >= life.alert.limit(step))
    }
    assert crossed == reached


@given(st.lists(NUMBERS))
def test_the_same_value_again_changes_nothing(values):
    life = Life(alert(Kind.USAGE, 100, 10, 50, 100))
    for value in values:
        life.sees(value)
        assert life.sees(value) == []


@given(NUMBERS, NUMBERS)
def test_inside_the_hysteresis_a_step_stays_as_it_is(value, limit):
    if limit <= 0:
        return
    of = alert(Kind.USAGE, limit, 10)
    step = of.steps[0]
    if limit * Decimal("0.9") <= value < limit:
        assert next_state(of, step, State.EXCEEDED, value) is State.EXCEEDED
        assert next_state(of, step, State.OK, value) is State.OK


def test_nothing_to_compare_resolves_what_was_crossed_and_crosses_nothing():
    life = Life(alert())
    assert life.sees(None) == []
    life.sees(Decimal(100))
    life.sees(None)

    assert life.state is State.RESOLVED


def test_an_alert_stands_as_the_worst_of_its_steps():
    assert worst([]) is State.OK
    assert worst([State.OK, State.RESOLVED]) is State.RESOLVED
    assert worst([State.RESOLVED, State.WARNING]) is State.WARNING
    assert worst([State.EXCEEDED, State.WARNING, State.OK]) is State.EXCEEDED
