"""`/api/usage/report` and `/api/usage/aggregate`, and the routes of the packages below."""

from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.answers import StatementAnswer
from tallystick.billing.bounds import CURRENT
from tallystick.billing.closing import routes as closing
from tallystick.billing.dependencies import Service
from tallystick.billing.explain import routes as explain
from tallystick.billing.preview import routes as preview
from tallystick.billing.report import ReportRequest
from tallystick.billing.report_answers import ReportAnswer
from tallystick.billing.report_csv import as_csv
from tallystick.billing.service import Billing
from tallystick.billing.settlement import Collector, StandingAnswer, SyncAnswer
from tallystick.billing.statements import routes as statements
from tallystick.billing.statements.service import Aggregation
from tallystick.billing.teams import routes as teams
from tallystick.core.clock import Window
from tallystick.core.errors import InvalidInput
from tallystick.http.access import Administrator, Reader
from tallystick.http.openapi import problems
from tallystick.http.pace import Unhurried
from tallystick.http.paging import cut, decode_cursor

router = APIRouter()
router.include_router(teams.router)
router.include_router(statements.router)
router.include_router(closing.router)
router.include_router(explain.router)
router.include_router(preview.router)
usage = APIRouter(prefix="/api/usage", tags=["usage"])

CSV_TYPE = "text/csv"
CSV_EXAMPLE = (
    "team_id,metric,unit,window_start,window_end,usage,events,unvalued\r\n"
    "acme,api_calls,call,2026-03-08T00:00:00-05:00,2026-03-09T00:00:00-04:00,1500,1500,0\r\n"
)
MOST_STATEMENTS = 1000


class Format(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"


class ReportQuery(BaseModel):
    """Which report is wanted."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="May be left out with a key for one team.", examples=["acme"])
    metric: list[str] = Field(
        default=[], description="By name, repeatable; default: all that have the dimensions of `group_by`."
    )
    start: str | None = Field(
        default=None,
        alias="from",
        description="Where the history begins: an RFC 3339 instant, or a date, which begins at midnight in "
        "the team's zone. Default: the current period's start.",
        examples=["2026-03-01"],
    )
    end: str | None = Field(
        default=None,
        alias="to",
        description="Where it ends, exclusive. Default: the end of the window that is running.",
        examples=["2026-04-01"],
    )
    window: Window = Field(default=Window.DAY, description="The size of one step, in the team's local time.")
    group_by: list[str] = Field(default=[], description="Dimensions to keep apart, repeatable.")
    period: str = Field(
        default=CURRENT,
        description="Which billing period usage so far, cost and projection are about: `current`, or a month, date "
        "or instant that it holds.",
        examples=["2026-03"],
    )
    format: Format | None = Field(default=None, description="Default: what `Accept` asks for, else JSON.")


class AggregateRequest(BaseModel):
    """Whose statements to compute: one team's, or a page of all teams'."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"team_id": "acme"}]})

    team_id: str | None = Field(default=None, description="Default: every team, a page at a time.")
    limit: int = Field(default=100, ge=1, le=MOST_STATEMENTS, description="Most statements of one answer.")
    cursor: str | None = Field(default=None, description="The `next_cursor` of the answer before.")
    sync: bool = Field(default=False, description="Then bring the billing provider (Stripe) up to date as well.")


class RolledUp(BaseModel):
    """What the roll-up did."""

    batches: int = Field(description="Batches of events that were taken.")
    events: int
    hours_recomputed: int = Field(description="Hours that a correction had made wrong.")
    backfilled: int = Field(description="Months of new or changed metrics that were filled in.")
    complete: bool = Field(description="Whether nothing is left to do. Usage is exact either way.")


class AggregateAnswer(BaseModel):
    """What the roll-up did, and the open statements that were computed and kept."""

    rolled_up: RolledUp
    data: list[StatementAnswer]
    next_cursor: str | None = Field(description="Send this as `cursor` for the next teams; null on the last page.")
    sync: SyncAnswer | None = Field(description="What the billing provider was told; null: that was not asked for.")

    @classmethod
    def of(cls, done: Aggregation, next_cursor: str | None, sync: SyncAnswer | None) -> Self:
        """The answer that shows it."""
        counts, more = done.rolled_up[:4], done.rolled_up.more
        names = ("batches", "events", "hours_recomputed", "backfilled")
        rolled_up = RolledUp(**dict(zip(names, counts, strict=True)), complete=not more)
        data = [StatementAnswer.of(statement) for statement in done.statements]
        return cls(rolled_up=rolled_up, data=data, next_cursor=next_cursor, sync=sync)


@usage.get(
    "/report",
    response_model=ReportAnswer,
    responses={200: {"content": {CSV_TYPE: {"example": CSV_EXAMPLE}}}, **problems(404)},
)
async def usage_report(
    query: Annotated[ReportQuery, Query()],
    billing: Service,
    collector: Collector,
    who: Reader,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> ReportAnswer | Response:
    """Usage, cost with its steps, projection and history of one team. Scope: read.

    As CSV: the history alone, a row per metric, dimension values and window.
    """
    team_id = who.team(query.team_id)
    if team_id is None:
        raise InvalidInput("team_id is required", field="team_id")
    report = await billing.reports.report(_request(team_id, query))
    if (query.format or _accepted(accept)) is Format.JSON:
        standing = await collector.standing(team_id)
        shown = None if standing is None else StandingAnswer.of(collector.name, standing, report.account.as_of)
        return ReportAnswer.of(report, shown)
    headers = {"Content-Disposition": 'attachment; filename="usage.csv"', "Vary": "Accept"}
    return Response(as_csv(report), headers=headers, media_type=f"{CSV_TYPE}; header=present; charset=utf-8")


@usage.post("/aggregate", responses=problems(400, 404), dependencies=[Unhurried])
async def aggregate_usage(
    billing: Service, collector: Collector, _: Administrator, wanted: AggregateRequest | None = None
) -> AggregateAnswer:
    """Roll up now, and compute and keep the current statement of one team or of all. Scope: admin.

    With `sync`, the billing provider is then told what can be told now, of the teams of the answer.
    """
    wanted = wanted or AggregateRequest()
    team_ids, cursor = [wanted.team_id] if wanted.team_id is not None else [], None
    if wanted.team_id is None:
        team_ids, cursor = await _page_of_ids(billing, wanted)
    done, sync = await billing.statements.aggregate(team_ids), None
    if wanted.sync:
        told = await collector.sync(team_ids)
        sync = SyncAnswer(provider=collector.name, counts=dict(told.counts), problems=list(told.problems))
    return AggregateAnswer.of(done, cursor, sync)


async def _page_of_ids(billing: Billing, wanted: AggregateRequest) -> tuple[list[str], str | None]:
    after = "" if wanted.cursor is None else decode_cursor(wanted.cursor, str)[0]
    rows = await billing.teams.page(wanted.limit + 1, after=after)
    shown, cursor = cut(rows, wanted.limit, lambda team: (team.id,))
    return [team.id for team in shown], cursor


def _request(team_id: str, query: ReportQuery) -> ReportRequest:
    return ReportRequest(
        team_id=team_id,
        metrics=tuple(query.metric),
        start=query.start,
        end=query.end,
        window=query.window,
        group_by=tuple(dict.fromkeys(query.group_by)),
        period=query.period,
    )


def _accepted(accept: str) -> Format:
    """The first of the two formats that the client names; JSON if it names neither."""
    for part in accept.split(","):
        match part.split(";")[0].strip().lower():
            case "text/csv":
                return Format.CSV
            case "application/json" | "*/*" | "application/*":
                return Format.JSON
    return Format.JSON


router.include_router(usage)
