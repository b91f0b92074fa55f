"""What is asked for when credits are granted, and whether it can be. No I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from tallystick.billing.credits.models import GrantKind, Recurrence
from tallystick.billing.periods import LATEST
from tallystick.catalog.models import BillingPeriod
from tallystick.core.clock import EARLIEST, zone
from tallystick.core.errors import InvalidInput
from tallystick.core.money import EXACT, QUANTITY_DECIMALS, ZERO, minor_unit, parse_decimal, plain, quantity_problem
from tallystick.http.answers import rfc3339

LONGEST_TEXT = 255
PRIORITY = 100
HIGHEST_PRIORITY = 1_000_000
MOST_EVERY = 100
HIGHEST_PERCENT = 10_000
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Rollover:
    """The most that is carried over into the next allotment: an amount, or a percentage of what is given."""

    amount: Decimal | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """How a grant comes again. Without an anchor, counted from when it takes effect; without a zone, the team's."""

    cadence: BillingPeriod
    anchor: datetime | None = None
    time_zone: str | None = None
    rollover: Rollover = Rollover(ZERO)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be granted: an amount of a currency, or of a metric's unit. The words are those of `Grant`.

    Without `effective_at`, from now on; without `expires_at`, until it is used up; without a name it is called
    by what it is.
    """

    amount: Decimal
    currency: str | None = None
    metric: str | None = None
    name: str | None = None
    kind: GrantKind = GrantKind.PAID
    priority: int = PRIORITY
    metrics: tuple[str, ...] = ()
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    repeat: Repeat | None = None
    reference: str | None = None


def read_rollover(text: str, *, field: str = "rollover") -> Rollover:
    """The cap that is written as an amount (`50`) or as a percentage of what is given (`50%`).

    Raises:
        InvalidInput: neither.
    """
    if text.rstrip().endswith("%"):
        return Rollover(percent=parse_decimal(text.rstrip()[:-1], field=field))
    return Rollover(amount=parse_decimal(text, field=field))


def check(terms: Terms, metrics: Collection[str], now: datetime) -> None:
    """Refuse what can't be granted.

    Raises:
        InvalidInput: names the field and says what is allowed.
    """
    if (terms.currency is None) == (terms.metric is None):
        message = "give either currency, for credits of money, or metric, for credits of usage"
        raise InvalidInput(message, field="currency")
    _check_amount("amount", terms.amount, terms.currency)
    if terms.amount <= 0:
        raise InvalidInput(f"amount is {plain(terms.amount)}: must be above zero", field="amount")
    _check_metrics(terms, metrics)
    _check_text("name", terms.name)
    _check_text("reference", terms.reference)
    if not 0 <= terms.priority <= HIGHEST_PRIORITY:
        raise InvalidInput(f"priority must be from 0 to {HIGHEST_PRIORITY:,}; the lower burns first", field="priority")
    _check_times(terms, now)
    if terms.repeat is not None:
        _check_repeat(terms.repeat, terms.currency)


def check_moment(field: str, moment: datetime) -> None:
    """Refuse a moment outside the years that are kept.

    Raises:
        InvalidInput: it is.
    """
    if not EARLIEST <= moment < LATEST:
        raise InvalidInput(f"{field} must lie between {rfc3339(EARLIEST)} and {rfc3339(LATEST)}", field=field)


def recurrence(terms: Terms, effective_at: datetime, time_zone: str) -> Recurrence | None:
    """How the grant of checked terms comes again. A percentage is rounded down to what the unit has."""
    if (repeat := terms.repeat) is None:
        return None
    cap = repeat.rollover.amount or ZERO
    if repeat.rollover.percent is not None:
        share = EXACT.divide(EXACT.multiply(terms.amount, repeat.rollover.percent), Decimal(100))
        cap = share.quantize(_finest(terms.currency), rounding=ROUND_DOWN, context=EXACT)
    return Recurrence(repeat.cadence, repeat.anchor or effective_at, repeat.time_zone or time_zone, cap)


def _finest(currency: str | None) -> Decimal:
    return Decimal(1).scaleb(-QUANTITY_DECIMALS) if currency is None else minor_unit(currency)


def _check_amount(field: str, amount: Decimal, currency: str | None) -> None:
    problem = quantity_problem(amount)
    if problem is None and currency is not None and EXACT.remainder(amount, minor_unit(currency)):
        problem = f"{currency} has no amounts finer than {plain(minor_unit(currency))}"
    if problem is not None:
        raise InvalidInput(f"{field} is {amount}: {problem}", field=field)


def _check_metrics(terms: Terms, metrics: Collection[str]) -> None:
    if terms.metric is not None and terms.metrics:
        message = "metrics is for credits of money; credits of usage pay the usage of their metric"
        raise InvalidInput(message, field="metrics")
    named = (*terms.metrics, *([terms.metric] if terms.metric is not None else []))
    if unknown := next((each for each in named if each not in metrics), None):
        shown = ", ".join(sorted(metrics)[:MOST_NAMED]) or "none is defined yet"
        field = "metric" if terms.metric is not None else "metrics"
        raise InvalidInput(f"there is no metric {unknown!r}; there are: {shown}", field=field)


def _check_text(field: str, text: str | None) -> None:
    if text is not None and (not text.strip() or not text.isprintable() or len(text.encode()) > LONGEST_TEXT):
        raise InvalidInput(f"{field} must have 1 to {LONGEST_TEXT} bytes of printable text", field=field)


def _check_times(terms: Terms, now: datetime) -> None:
    anchor = terms.repeat.anchor if terms.repeat else None
    for field, moment in (
        ("effective_at", terms.effective_at),
        ("expires_at", terms.expires_at),
        ("anchor", anchor),
    ):
        if moment is not None:
            check_moment(field, moment)
    begins = terms.effective_at or now
    if terms.expires_at is not None and terms.expires_at <= begins:
        message = f"expires_at must be after the grant takes effect, {rfc3339(begins)}"
        raise InvalidInput(message, field="expires_at")


def _check_repeat(repeat: Repeat, currency: str | None) -> None:
    if not 1 <= repeat.cadence.every <= MOST_EVERY:
        raise InvalidInput(f"every must be from 1 to {MOST_EVERY}", field="every")
    if repeat.time_zone is not None:
        zone(repeat.time_zone)
    amount, percent = repeat.rollover.amount, repeat.rollover.percent
    if amount is not None and percent is not None:
        raise InvalidInput("a rollover cap is an amount or a percentage, not both", field="rollover")
    if amount is not None:
        _check_amount("rollover", amount, currency)
        if amount < 0:
            raise InvalidInput(f"rollover is {plain(amount)}: must not be negative", field="rollover")
    if percent is not None and not (percent.is_finite() and 0 <= percent <= HIGHEST_PERCENT):
        raise InvalidInput(f"rollover must be from 0 to {HIGHEST_PERCENT:,} percent", field="rollover")
