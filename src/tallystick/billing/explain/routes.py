"""`GET /api/billing/lines/{line_id}/explain` and the events behind a line."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from tallystick.billing.dependencies import Service
from tallystick.billing.explain.answers import ExplainedEvents, ExplanationAnswer, events_of, events_of_causes
from tallystick.billing.models import LineKind
from tallystick.billing.service import Billing
from tallystick.billing.statements.models import StatementLine
from tallystick.core.errors import NotFound
from tallystick.http.access import Reader
from tallystick.http.openapi import problems
from tallystick.http.paging import PageQuery, decode_cursor, encode_cursor
from tallystick.http.principal import Principal

router = APIRouter(prefix="/api/billing/lines", tags=["billing"])

LineId = Annotated[int, Path(ge=1, lt=2**63, description="The `id` of a line of a closed statement.")]


@router.get("/{line_id}/explain", responses=problems(404))
async def explain_line(line_id: LineId, billing: Service, who: Reader) -> ExplanationAnswer:
    """How a line came about: price, usage by window and dimension, steps, adjustments. Scope: read."""
    await _line_of(billing, line_id, who)
    return ExplanationAnswer.of(await billing.explanations.explain(line_id))


@router.get("/{line_id}/events", responses=problems(404))
async def explain_events(
    line_id: LineId, query: Annotated[PageQuery, Query()], billing: Service, who: Reader
) -> ExplainedEvents:
    """The events behind a line as known when it was closed, or those that an adjustment is about. Scope: read."""
    line = await _line_of(billing, line_id, who)
    after = None if query.cursor is None else decode_cursor(query.cursor, str, str)
    if line.kind is LineKind.ADJUSTMENT:
        causes = await billing.explanations.causes(line_id, query.limit, after)
        return ExplainedEvents(data=events_of_causes(causes), next_cursor=_cursor(causes.after))
    page = await billing.explanations.events(line_id, query.limit, after)
    return ExplainedEvents(data=events_of(page), next_cursor=_cursor(page.after))


def _cursor(after: tuple[str, ...] | None) -> str | None:
    return None if after is None else encode_cursor(*after)


async def _line_of(billing: Billing, line_id: int, who: Principal) -> StatementLine:
    """The line, if the key may see its team."""
    period, line = await billing.explanations.line(line_id)
    if who.team_id not in (None, period.team_id):
        raise NotFound(f"there is no line {line_id} of a closed statement")
    return line
