"""What the fake assumes about Stripe where documents leave it open, each assumption once and numbered.

Each is a field of `Assumptions`, so that a test can ask what becomes of us when it is wrong:
`FakeStripe(assumed=replace(ASSUMED, a01_identifier_scope="meter"))`. docs/stripe-assumptions.md lists them with their
sources, and tests/stripe_live asserts them, against this fake on every run and against Stripe for whoever has a key.

Below them stand the limits that Stripe documents. Times are seconds.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from tallystick.core.money import EXACT

DAY = 86_400
HOUR = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What documents leave open. The values are what is taken for most likely, or for the harder to live with."""

    a01_identifier_scope: Literal["account", "meter"] = "account"
    """Within what an event's identifier is unique."""

    a02_identifier_window: int = DAY
    """How long after its receipt an identifier is known: exactly as long as is promised, and counted twice after."""

    a03_duplicate_message: str = "An event already exists with identifier {identifier}."
    """What v1 says of a repeat, with status 400 and without a code."""

    a04_stream_reports_duplicates: bool = False
    """Whether an error report names a repeat that came by the v2 stream."""

    a05_refused_keeps_identifier: bool = False
    """Whether the identifier of an event that was refused at once is spent."""

    a06_rejected_keeps_identifier: bool = True
    """Whether the identifier of an event that was accepted and rejected later is spent."""

    a07_oldest: int = 35 * DAY
    """The greatest age of a timestamp, which is still accepted."""

    a08_ahead: int = 300
    """How far ahead of Stripe's clock a timestamp may be, and is still accepted."""

    a09_refused_at_once: frozenset[str] = frozenset({
        "archived_meter",
        "meter_event_invalid_value",
        "meter_event_no_customer_defined",
        "meter_event_value_too_many_digits",
        "no_meter",
        "timestamp_in_future",
        "timestamp_too_far_in_past",
    })  # fmt: skip
    """What one call for one event finds out before it answers. The rest, and all of it in the stream, comes later."""

    a10_trailing_zeros_are_digits: bool = True
    """Whether 1000 has four significant digits, and not one."""

    a11_exponents_are_values: bool = False
    """Whether a value may be written as 1E+2."""

    a12_adds_doubles: bool = True
    """Whether a sum is added up in double precision, in the order of receipt."""

    a13_summary_end_is_exclusive: bool = True
    """Whether an event at the end of an interval is outside of it."""

    a14_empty_windows_are_rows: bool = False
    """Whether a summary has a row for a window without events."""

    a15_newest_window_first: bool = True
    """The order of a summary's rows."""

    a16_counted_within: int = 300
    """When an accepted event is in the summaries at the latest. Each takes its own time."""

    a17_cancelled_keeps_identifier: bool = True
    """Whether the identifier of a cancelled event stays spent in its window."""

    a18_second_cancel_is_refused: bool = True
    """Whether to cancel a cancelled event is an error."""

    a19_last_of_equals: Literal["received_last", "received_first"] = "received_last"
    """Which of two events with one timestamp is the last."""

    a20_archived_meter_keeps_event_name: bool = True
    """Whether the event name of a deactivated meter can't be given to another."""

    a21_concurrency_is_remembered: bool = True
    """Whether the 429 for a second call at once for a customer and meter is replayed for its idempotency key."""

    a22_line_rounding: Literal["half_up", "half_even"] = "half_up"
    """What becomes of half a cent. `half_up` is away from zero."""

    a23_line_per_tier: bool = True
    """Whether each tier of a graduated price is a line, and is rounded, for itself."""

    a24_idempotency_window: int = DAY
    """How long v1 remembers an idempotency key: exactly as long as is promised."""

    a25_refusals_are_remembered: bool = True
    """Whether v1 replays a 400 that execution came to, a repeated identifier for one."""

    a26_lines_in_order: bool = True
    """Whether an invoice lists its lines in the order in which they were added."""

    a27_line_metadata_is_the_items: bool = True
    """Whether the metadata of a line that was added is that of the invoice item behind it, too."""

    a28_uncounted_is_unbilled: bool = True
    """Whether an event that is not counted yet when an invoice is finalised is missing on it for ever."""

    a29_metered_start_is_invoiced: bool = False
    """Whether a subscription of metered prices alone begins with an invoice over zero."""

    a30_cancel_bills_usage: bool = False
    """Whether a subscription cancelled at once, without `invoice_now`, is billed for its usage."""

    a31_report_window: int = 10
    """The seconds that one error report covers."""

    a32_report_samples: int = 5
    """The most errors that one error report shows of each code."""

    a33_report_names_key: bool = True
    """Whether `request.identifier` in an error report is the request's idempotency key, where it has one."""

    a34_charged_when_finalised: bool = True
    """Whether an invoice that advances by itself is charged when it is finalised, and not an hour later."""

    a35_fraction_has_no_quantity: bool = True
    """Whether `quantity` of a line is null where `quantity_decimal` is no whole number."""

    a36_deleted_draft_frees_items: bool = True
    """Whether the items of a deleted draft wait for the customer's next invoice, and are not deleted with it."""

    def value(self, text: str) -> Decimal | None:
        """The number that a value spells, if it is one (A11)."""
        if (plain := _number(text)) is not None:
            return plain
        return Decimal(text) if self.a11_exponents_are_values and _EXPONENT.fullmatch(text) else None

    def significant_digits(self, text: str) -> int:
        """How many digits of a value are significant (A10)."""
        digits = text.lstrip("-").replace(".", "").lstrip("0")
        return len(digits if self.a10_trailing_zeros_are_digits else digits.rstrip("0"))

    def add_up(self, values: list[Decimal]) -> float:
        """The sum that a summary shows (A12)."""
        if self.a12_adds_doubles:
            return sum(map(float, values), 0.0)
        return float(exact_sum(values))

    def rounded(self, amount: Decimal) -> int:
        """A line's amount in whole minor units (A22)."""
        rounding = ROUND_HALF_UP if self.a22_line_rounding == "half_up" else "ROUND_HALF_EVEN"
        return int(amount.quantize(Decimal(1), rounding=rounding, context=EXACT))


ASSUMED = Assumptions()

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_EXPONENT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?")


@lru_cache(maxsize=10_000)
def _number(text: str) -> Decimal | None:
    return Decimal(text) if _PLAIN.fullmatch(text) else None


MAX_DIGITS = 15
"""Significant digits of a value."""

CANCEL_WITHIN = DAY
"""How long after its receipt an event can be cancelled."""

STREAM_BATCH = 100
"""Events of one request to the stream."""

SESSION = 15 * 60
"""How long a stream's token is good for."""

V2_IDEMPOTENCY_WINDOW = 30 * DAY

MAX_ITEMS = 250
"""Items of one invoice."""

FINALISATION_GRACE = HOUR
"""How long an invoice of a subscription stays a draft; an account may make it up to 72 hours."""

FINALISATION_WITHOUT_ANSWER = 72 * HOUR
"""How long it stays one while nobody acknowledges `invoice.created`."""

LEAST_CHARGE = {
    "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400,
    "huf": 17500, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300,
    "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
"""The least that can be charged, in minor units. A smaller invoice goes to the customer's balance."""

ROUND = {"up": ROUND_CEILING, "down": ROUND_FLOOR}
"""What `transform_quantity` does with a part of a package."""


def exact_sum(values: list[Decimal]) -> Decimal:
    """The sum without rounding."""
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total
