"""Percentage: a part of the amounts that events carry, and a fee for each event; what payments are charged by.

The quantity is money: the sum of the events' amounts. Some may be free: the first `free_events` events, or
events until their amounts exceed `free_amount`; where both are given, the allowance ends with whichever is
used up first. Of the event that exceeds the free amount, the excess is charged. What one event costs, its fee
included, is lifted to `event_minimum` and capped at `event_maximum`; free events are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Self

from tallystick.core.money import ZERO, plain
from tallystick.pricing.exact import Scale, add, divide_up, multiply, per_cent, subtract, total
from tallystick.pricing.models import ONE, Charge, Step, Tier, Used
from tallystick.pricing.parameters import Parameters, invalid, require_not_negative, require_percent
from tallystick.pricing.tiers import one_tier


class Event(NamedTuple):
    """What of one event's amount is charged, and whether the event is, or is a free one."""

    charged: Decimal
    free: bool


@dataclass(frozen=True, slots=True)
class Percentage:
    """`rate` per cent of the amounts that are not free, and `fixed_fee` for each event that isn't.

    Attributes:
        rate: in per cent: 2.9 takes 0.029 of every unit of money.
        fixed_fee: for each event that is not free.
        free_events: so many events are free, the first ones.
        free_amount: events are free until their amounts exceed this.
        event_minimum: the least that one event costs that is not free.
        event_maximum: the most that it costs.
    """

    name: ClassVar[str] = "percentage"
    rate: Decimal
    fixed_fee: Decimal = ZERO
    free_events: int = 0
    free_amount: Decimal = ZERO
    event_minimum: Decimal | None = None
    event_maximum: Decimal | None = None

    def __post_init__(self) -> None:
        require_percent(self.rate, "rate")
        for key in ("fixed_fee", "free_amount", "event_minimum", "event_maximum"):
            require_not_negative(getattr(self, key) or ZERO, key)
        if self.free_events < 0:
            raise invalid("free_events", f"is {self.free_events}: must not be negative")
        least, most = self.event_minimum, self.event_maximum
        if least is not None and most is not None and least > most:
            raise invalid("event_minimum", f"is {least}: must not exceed event_maximum, {most}")

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """One tier for all amounts."""
        return one_tier(per_cent(self.rate))

    @property
    def group_by(self) -> tuple[str, ...]:
        """No dimension is kept apart."""
        return ()

    @property
    def by_quantity(self) -> bool:
        """Whether there is nothing but the rate and a free amount."""
        return not (self.fixed_fee or self.needs_each_event)

    @property
    def needs_each_event(self) -> bool:
        """Whether it matters what each event's amount is, and which came first."""
        return bool(self._has_limits or self.free_events or (self.free_amount and self.fixed_fee))

    @property
    def _has_limits(self) -> bool:
        return self.event_minimum is not None or self.event_maximum is not None

    def charge(self, used: Used) -> Charge:
        """Steps for what is free, for the part of the amounts, the fees, and what the limits of an event change."""
        if not self.needs_each_event:
            charged = max(ZERO, subtract(used.quantity, self.free_amount))
            return _sum_up(self._steps(used.quantity, charged, 0, used.events))
        amounts = _amounts(used)
        events = list(self._events(amounts))
        paid = sum(not event.free for event in events)
        charged = total(event.charged for event in events)
        if not self._has_limits:  # amounts below zero can't take back more than was charged
            charged = max(ZERO, charged)
        steps = self._steps(total(amounts), charged, len(events) - paid, paid)
        return _sum_up([*steps, *self._limits(events)])

    def _events(self, amounts: tuple[Decimal, ...]) -> Iterator[Event]:
        """What of each event is charged, in the order in which they happened."""
        so_far = ZERO
        for number, amount in enumerate(amounts, 1):
            before, so_far = so_far, add(so_far, amount)
            if not self._may_be_free(number):
                yield Event(amount, free=False)
            elif not self.free_amount:
                yield Event(ZERO, free=True)
            else:
                charged = subtract(self._above_free(so_far), self._above_free(before))
                yield Event(charged, free=so_far <= self.free_amount)

    def _may_be_free(self, number: int) -> bool:
        return number <= self.free_events if self.free_events else bool(self.free_amount)

    def _above_free(self, amount: Decimal) -> Decimal:
        return max(ZERO, subtract(amount, self.free_amount))

    def _steps(self, amount: Decimal, charged: Decimal, free: int, paid: int) -> Iterator[Step]:
        if self.free_events:
            yield Step("free_events", Decimal(free), ZERO, ZERO, setting=Decimal(self.free_events))
        if self.free_events or self.free_amount:
            free_amount = max(ZERO, subtract(amount, charged))
            yield Step("free_amount", free_amount, ZERO, ZERO, setting=self.free_amount or None)
        part = per_cent(self.rate)
        yield Step("percentage", charged, part, multiply(charged, part), setting=self.rate)
        if self.fixed_fee:
            fees = Decimal(paid)
            yield Step("event_fee", fees, self.fixed_fee, multiply(fees, self.fixed_fee))

    def _limits(self, events: list[Event]) -> Iterator[Step]:
        """How much events are lifted to their minimum and lowered to their maximum; no event pays out."""
        if not self._has_limits:
            return
        costs = [(event, self._cost(event)) for event in events]
        lifted = [subtract(least, cost) for event, cost in costs if cost < (least := self._least(event))]
        if lifted:
            yield Step("event_minimum", Decimal(len(lifted)), None, total(lifted), setting=self.event_minimum)
        most = self.event_maximum
        lowered = [] if most is None else [subtract(most, cost) for _, cost in costs if cost > most]
        if lowered:
            yield Step("event_maximum", Decimal(len(lowered)), None, total(lowered), setting=most)

    def _cost(self, event: Event) -> Decimal:
        return add(multiply(event.charged, per_cent(self.rate)), ZERO if event.free else self.fixed_fee)

    def _least(self, event: Event) -> Decimal:
        return ZERO if event.free else self.event_minimum or ZERO

    def scaled(self, scale: Scale) -> Self:
        """The free amount scaled, and the free events, up to a whole one; an event costs the same at any time."""
        events = int(divide_up(scale(Decimal(self.free_events)), ONE))
        free_amount = scale(self.free_amount)
        return type(self)(self.rate, self.fixed_fee, events, free_amount, self.event_minimum, self.event_maximum)

    def to_parameters(self) -> dict[str, Any]:
        """The numbers as text, without those that are not used."""
        numbers = {
            "rate": self.rate,
            "fixed_fee": self.fixed_fee or None,
            "free_events": Decimal(self.free_events) or None,
            "free_amount": self.free_amount or None,
            "event_minimum": self.event_minimum,
            "event_maximum": self.event_maximum,
        }
        return {key: plain(number) for key, number in numbers.items() if number is not None}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Reads `rate`, and what else there is of the attributes."""
        rate, fixed_fee = parameters.number("rate"), parameters.optional("fixed_fee")
        free_events, free_amount = parameters.whole("free_events"), parameters.optional("free_amount")
        least, most = parameters.optional("event_minimum"), parameters.optional("event_maximum")
        return cls(rate, fixed_fee or ZERO, free_events or 0, free_amount or ZERO, least, most)


def _amounts(used: Used) -> tuple[Decimal, ...]:
    """The events' amounts; of one event, or none, they follow from the quantity."""
    if used.amounts is not None and (used.amounts or not used.quantity):
        return used.amounts
    if used.events == 1:
        return (used.quantity,)
    if used.events or used.quantity:
        raise invalid("usage", "is rated event by event at this price: the amount of each event is needed")
    return ()


def _sum_up(steps: Iterator[Step] | list[Step]) -> Charge:
    taken = tuple(steps)
    return Charge(total(step.amount for step in taken), taken)


MODEL = Percentage
