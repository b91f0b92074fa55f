"""`tallystick explain`: how a line of a closed statement came about, down to its events."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import DataDir, output
from tallystick.cli.close import with_billing

if TYPE_CHECKING:
    from tallystick.billing.explain.service import Explanation
    from tallystick.billing.service import Billing
    from tallystick.metering.event_store import EventPage
    from tallystick.metering.models import Causes

SHOWN_EVENTS = 20


def register(parent: typer.Typer) -> None:
    """Add this command."""
    parent.command()(explain)


def explain(
    line: Annotated[int, typer.Argument(metavar="LINE", help="The number of a line; `tallystick statement` shows it.")],
    *,
    events: Annotated[int, typer.Option(min=0, max=1000, help="Most events to show.")] = SHOWN_EVENTS,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, as the API answers it.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show how a line came about: price, usage by day and dimension, steps, adjustments, and the events behind it."""
    found, page = with_billing(lambda billing: _read(billing, line, events), data_dir)
    if json:
        from tallystick.billing.explain.answers import ExplanationAnswer

        output.show(ExplanationAnswer.of(found).model_dump_json(indent=2))
        return
    _show(found)
    if events:
        _show_events(page)


async def _read(billing: "Billing", line: int, events: int) -> "tuple[Explanation, EventPage | Causes]":
    found = await billing.explanations.explain(line)
    limit = max(events, 1)
    if found.line.cause is not None:
        return found, await billing.explanations.causes(line, limit)
    return found, await billing.explanations.events(line, limit)


def _show(found: "Explanation") -> None:
    line = found.line
    start, end = (output.cell(moment) for moment in line.interval)
    output.note(f"{output.cell(line.name)} of {output.cell(found.period.team_id)}, {start} to {end}")
    if found.price is not None:
        output.note(f"price {found.price['id']}: {found.price['model']} {_parameters(found.price['parameters'])}")
    if line.cause is not None:
        output.note(
            f"adjusts {output.cell(line.adjusts_key)} of statement {line.adjusts_period_id}: {_cause(line.cause)}"
        )
    columns = ("from", "to", *found.dimensions, "usage", "events")
    rows = [(*usage.window, *usage.dimensions, usage.quantity, usage.events) for usage in found.usage]
    if rows:
        output.show_table(columns, rows)
        output.note(f"usage {output.cell(found.usage_total)} {line.unit}, rated {output.cell(line.quantity)}\n")
    output.show_table(("step", "quantity", "unit price", "amount", "label"), list(_steps(found)), empty="no steps")
    output.note(f"amount {output.cell(line.amount)} {line.currency}, on the bill {_money(line.total)}")
    for each in found.adjustments:
        output.note(
            f"adjusted by {_money(each.converted_total)} on statement {each.period_id}: {_cause(each.cause or {})}"
        )
    output.note(f"booked by now: {_money(found.booked)} {line.billing_currency}")


def _steps(found: "Explanation") -> Iterator[tuple[Any, ...]]:
    for step in found.line.steps:
        yield step["kind"], step["quantity"], step["unit_price"], step["amount"], step.get("label")


def _show_events(page: "EventPage | Causes") -> None:
    from tallystick.billing.explain.answers import events_of, events_of_causes
    from tallystick.metering.models import Causes

    events = events_of_causes(page) if isinstance(page, Causes) else events_of(page)
    rows = [(event.id, event.occurred_at, event.recorded_at, event.value, event.cause) for event in events]
    output.show_table(("event", "occurred", "recorded", "value", "cause"), rows, empty="no events")
    if page.after is not None:
        output.note("there are more: --events shows up to 1000, the API all of them, page by page")


def _cause(cause: Mapping[str, Any]) -> str:
    counts = [f"{cause.get(name, 0)} {name}" for name in ("late", "amended", "voided") if cause.get(name)]
    return ", ".join([*counts, *cause.get("terms", ())]) or "no event of its own"


def _parameters(parameters: Mapping[str, Any]) -> str:
    from tallystick.http.answers import dumps

    return dumps(parameters).decode()


def _money(amount: Any) -> str:
    return "nothing" if amount is None else f"{amount:f}"
