"""What somebody wants to be alerted about, before it is an alert: read, completed and checked. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from tallystick.alerts.models import HUNDRED, MAY_THROTTLE, PROJECTED, SPENDING, Action, Alert, Kind, Step, StepType
from tallystick.core.errors import InvalidInput
from tallystick.core.money import ZERO, currency_exponent, parse_decimal, plain, quantity_problem

LONGEST_NAME = 255
MOST_STEPS = 20
MOST_CHANNELS = 20
MOST_WEEKS = 52
WEEKS = 4
MOST_MINUTES = Decimal(60 * 24 * 366)
THROTTLE = "throttle"
NO_ACTION = Action()

HYSTERESIS = MappingProxyType(dict.fromkeys((*PROJECTED, Kind.RATE), Decimal(5)))
"""Percent of the limit, where nothing is said: 5 for numbers that go up and down by themselves, else 0."""

NEEDS_METRIC = frozenset({Kind.USAGE, Kind.PROJECTED_USAGE, Kind.RATE})

_STEP = re.compile(r"(?P<number>[^:%\s]+)(?P<percent>\s*%)?\s*(:(?P<actions>.*))?")


@dataclass(frozen=True, slots=True)
class StepTerms:
    """A step that is wanted. None of `type` and `action`: the alert's; neither percent nor value: 100 percent."""

    percent: Decimal | None = None
    value: Decimal | None = None
    type: StepType | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class AlertTerms:
    """An alert that is wanted; see `models.Alert`.

    Attributes:
        name: None: one that says what it watches.
        hysteresis, weeks: None: as usual for the kind.
        steps: none: one, at the threshold.
    """

    kind: Kind
    threshold: Decimal
    name: str | None = None
    team_id: str | None = None
    plan: str | None = None
    metric: str | None = None
    currency: str | None = None
    type: StepType = StepType.SOFT
    action: Action = NO_ACTION
    hysteresis: Decimal | None = None
    weeks: int | None = None
    active: bool = True
    steps: tuple[StepTerms, ...] = ()


def made(terms: AlertTerms, now: datetime, before: Alert | None = None) -> Alert:
    """The alert that is wanted, complete and checked on its own.

    Args:
        terms: what is wanted.
        now: when.
        before: the alert that it takes the place of; a step that compares with the same stays the same step.

    Raises:
        InvalidInput: it can't be; names the field.
    """
    _check_numbers(terms)
    check(terms)
    hysteresis = HYSTERESIS.get(terms.kind, ZERO) if terms.hysteresis is None else terms.hysteresis
    alert = Alert(
        name=terms.name or _name(terms),
        kind=terms.kind,
        threshold=_short(terms.threshold),
        team_id=terms.team_id,
        plan=terms.plan,
        metric=terms.metric,
        currency=terms.currency,
        type=terms.type,
        action=terms.action,
        hysteresis=_short(hysteresis),
        weeks=terms.weeks or WEEKS,
        active=terms.active,
        steps=tuple(_step(each, terms) for each in terms.steps or (StepTerms(),)),
        created_at=before.created_at if before else now,
        updated_at=now,
        id=before.id if before else 0,
        last_triggered_at=before.last_triggered_at if before else None,
    )
    _check_steps(alert)
    return _with_known_steps(alert, before) if before else alert


def check(terms: AlertTerms) -> None:
    """Pass what can be an alert, as far as its terms alone say.

    Raises:
        InvalidInput: what can't; names the field.
    """
    if terms.name is not None and (not terms.name.strip() or not terms.name.isprintable()):
        raise InvalidInput("name must be printable text", field="name")
    if terms.name is not None and len(terms.name) > LONGEST_NAME:
        raise InvalidInput(f"name must have at most {LONGEST_NAME} characters", field="name")
    if terms.team_id is not None and terms.plan is not None:
        raise InvalidInput("an alert is about a team, a plan or all teams; give team_id or plan", field="plan")
    _check_subject(terms)
    _check_threshold(terms)
    if terms.hysteresis is not None and not ZERO <= terms.hysteresis < HUNDRED:
        raise InvalidInput("hysteresis must be a percentage from 0 to below 100", field="hysteresis")
    if terms.weeks is not None and (terms.kind is not Kind.RATE or not 1 <= terms.weeks <= MOST_WEEKS):
        raise InvalidInput(f"weeks must be 1 to {MOST_WEEKS}, and only a rate has any", field="weeks")


def _check_subject(terms: AlertTerms) -> None:
    kind = terms.kind
    if kind in NEEDS_METRIC and terms.metric is None:
        raise InvalidInput(f"an alert on {kind} needs a metric", field="metric")
    if terms.currency is not None:
        currency_exponent(terms.currency)
        if kind not in SPENDING and kind is not Kind.CREDIT_BALANCE:
            raise InvalidInput(f"an alert on {kind} is about no money; leave out currency", field="currency")
    if kind is Kind.CREDIT_BALANCE and (terms.metric is None) == (terms.currency is None):
        message = "credit is of money or of usage: give currency, or metric, and not both"
        raise InvalidInput(message, field="currency")
    if kind in SPENDING and terms.team_id is None and terms.currency is None:
        message = "for more than one team an alert on money needs a currency; amounts in others are converted"
        raise InvalidInput(message, field="currency")


def _check_threshold(terms: AlertTerms) -> None:
    field, threshold = "threshold_value", terms.threshold
    if terms.kind is Kind.RATE:
        if threshold == 0 or threshold < -HUNDRED:
            raise InvalidInput(
                "of a rate threshold_value is a change in percent: above 0, or from -100 to below 0", field=field
            )
    elif terms.kind is Kind.ABSENCE and not 1 <= threshold <= MOST_MINUTES:
        raise InvalidInput(f"of an absence threshold_value is 1 to {MOST_MINUTES} minutes", field=field)
    elif threshold < 0 or (threshold == 0 and terms.kind is not Kind.CREDIT_BALANCE):
        raise InvalidInput("threshold_value must be above 0", field=field)


def _step(wanted: StepTerms, terms: AlertTerms) -> Step:
    percent = HUNDRED if wanted.percent is None and wanted.value is None else wanted.percent
    value = None if wanted.value is None else _short(wanted.value)
    return Step(
        None if percent is None else _short(percent), value, wanted.type or terms.type, wanted.action or terms.action
    )


def _check_numbers(terms: AlertTerms) -> None:
    """Pass numbers that can be stored and multiplied.

    Raises:
        InvalidInput: one can't; names its field.
    """
    numbers = {"threshold_value": terms.threshold, "hysteresis": terms.hysteresis}
    for place, step in enumerate(terms.steps):
        numbers |= {f"steps.{place}.percent": step.percent, f"steps.{place}.value": step.value}
    for field, number in numbers.items():
        if number is not None and (problem := quantity_problem(number)):
            raise InvalidInput(f"{field}: {problem}", field=field)


def _short(number: Decimal) -> Decimal:
    """The number without the zeros that somebody wrote behind it."""
    return Decimal(plain(number))


def _check_steps(alert: Alert) -> None:
    if len(alert.steps) > MOST_STEPS:
        raise InvalidInput(f"an alert has at most {MOST_STEPS} steps", field="steps")
    for place, step in enumerate(alert.steps):
        if problem := _problem(alert, step):
            raise InvalidInput(f"step {place + 1}: {problem}", field=f"steps.{place}")
    limits = [alert.limit(step) for step in alert.steps]
    if len(set(limits)) < len(limits):
        raise InvalidInput("two steps have the same limit", field="steps")


def _problem(alert: Alert, step: Step) -> str | None:
    """Why a step can't be; None: it can."""
    if (step.percent is None) == (step.value is None):
        return "give percent or value, not both"
    if step.percent is not None and step.percent <= 0:
        return "percent must be above 0"
    if quantity_problem(alert.limit(step)):
        return "its limit must be below 10^20, with at most 18 decimals"
    if alert.kind is Kind.RATE and (alert.limit(step) < 0) != (alert.threshold < 0):
        return "of a rate all steps go the same way as the threshold"
    if alert.kind is Kind.ABSENCE and not _is_whole(alert.limit(step)):
        return f"of an absence a limit is 1 to {MOST_MINUTES} whole minutes"
    if alert.kind not in (Kind.RATE, Kind.CREDIT_BALANCE) and alert.limit(step) <= 0:
        return "its limit must be above 0"
    return _problem_of_action(alert, step)


def _is_whole(minutes: Decimal) -> bool:
    return 1 <= minutes <= MOST_MINUTES and minutes == minutes.to_integral_value()


def _problem_of_action(alert: Alert, step: Step) -> str | None:
    if step.action.throttle and step.type is not StepType.HARD:
        return "only a hard step throttles"
    if step.action.throttle and alert.kind not in MAY_THROTTLE:
        return f"only {', '.join(sorted(MAY_THROTTLE))} can throttle"
    if len(step.action.notify) > MOST_CHANNELS:
        return f"at most {MOST_CHANNELS} channels"
    if not all(name.isprintable() for name in step.action.notify):
        return "names of channels are printable text"
    return None


def _with_known_steps(alert: Alert, before: Alert) -> Alert:
    """The alert whose steps are those of before where they compare the same with the same."""
    if alert.subject() != before.subject():
        return alert
    known = {(before.limit(step), step.type, before.severity(step)): step.id for step in before.steps}
    steps = (
        replace(step, id=known.get((alert.limit(step), step.type, alert.severity(step)), 0)) for step in alert.steps
    )
    return replace(alert, steps=tuple(steps))


def _name(terms: AlertTerms) -> str:
    """Such as `cost of acme`, `usage of api_calls on plan growth`, `absence, all teams`."""
    of = f" of {terms.metric}" if terms.metric else ""
    whom = terms.team_id or (f"plan {terms.plan}" if terms.plan else "all teams")
    return f"{terms.kind.replace('_', ' ')}{of}, {whom}"[:LONGEST_NAME]


def read_step(text: str) -> StepTerms:
    """The step that a command line writes as `80%:ops-email,slack`, `1500:throttle`, or just `100%`.

    Raises:
        InvalidInput: it is none.
    """
    found = _STEP.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(f"{text!r} is not a step such as 80%:email or 1500:slack,throttle", field="step")
    number = parse_decimal(found["number"], field="step")
    names = [name.strip() for name in (found["actions"] or "").split(",") if name.strip()]
    notify = tuple(name for name in names if name != THROTTLE)
    action = Action(notify, THROTTLE in names) if names else None
    kind = StepType.HARD if THROTTLE in names else None
    if found["percent"]:
        return StepTerms(percent=number, type=kind, action=action)
    return StepTerms(value=number, type=kind, action=action)


def check_channels(alert: Alert, known: Collection[str]) -> None:
    """Pass an alert whose steps name channels that there are.

    Raises:
        InvalidInput: one names another.
    """
    for place, step in enumerate(alert.steps):
        for name in step.action.notify:
            if name not in known:
                there_are = ", ".join(sorted(known)) or "none is configured yet"
                message = f"there is no notification channel {name!r}; there are: {there_are}"
                raise InvalidInput(message, field=f"steps.{place}.action.notify")
