"""`/api/usage/limits`, `/reservations` and `/throttles`: what is set, what is kept free, who is stopped.

Checks and reserving are in `doors`.
"""

from datetime import datetime
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tallystick.core.money import parse_decimal
from tallystick.enforcement.answers import LimitAnswer, PolicyAnswer, ReservationAnswer, ThrottleAnswer
from tallystick.enforcement.limits import NewLimit
from tallystick.enforcement.models import LimitType, WhenUnavailable
from tallystick.enforcement.reservations import BEGINNING
from tallystick.enforcement.service import Enforcement
from tallystick.http.access import Administrator, Ingester, Reader
from tallystick.http.openapi import BODY, problems
from tallystick.http.paging import Page, PageQuery, cut, decode_cursor
from tallystick.http.principal import Scope

router = APIRouter(prefix="/api/usage", tags=["limits"])

LONGEST = 255
MANUAL = "manual"
EXAMPLE: dict[str, Any] = {"team_id": "acme", "metric": "api_calls", "type": "hard", "limit": "1000"}
OF_A_PLAN: dict[str, Any] = {"plan": "standard", "metric": "api_calls", "type": "soft", "limit": "100000"}


class LimitRequest(BaseModel):
    """A limit to be set."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE, OF_A_PLAN]})

    team_id: str | None = Field(default=None, min_length=1, max_length=LONGEST, description="Whose; or `plan`.")
    plan: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST,
        description="Of each team on this plan that has no limit of its own; a version (`growth@2`) means it alone.",
    )
    metric: str = Field(min_length=1, max_length=LONGEST)
    type: LimitType = Field(default=LimitType.HARD, description="`hard` refuses what goes beyond, `soft` says so.")
    limit: str | None = Field(
        description="Per billing period, in the metric's unit, an exact decimal number, itself allowed. Null, of a "
        "team: no limit, in spite of the plan's."
    )

    def wanted(self) -> NewLimit:
        """What is asked for.

        Raises:
            InvalidInput: the limit is no number.
        """
        quantity = None if self.limit is None else parse_decimal(self.limit, field="limit")
        return NewLimit(self.team_id, self.plan, self.metric, self.type, quantity)


class LimitsQuery(PageQuery):
    """Which limits to list."""

    team_id: str | None = Field(default=None, description="Of this team itself.", examples=["acme"])
    plan: str | None = Field(default=None, description="Of this plan.", examples=["standard"])
    metric: str | None = Field(default=None, description="For this metric.", examples=["api_calls"])


class PolicyRequest(BaseModel):
    """What checks of a metric answer while usage can't be read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"when_unavailable": "closed"}]})

    when_unavailable: WhenUnavailable = Field(description="`open` allows, `closed` refuses.")


class PoliciesAnswer(BaseModel):
    """What checks of every metric answer while usage can't be read."""

    data: list[PolicyAnswer]


class ReservationsQuery(PageQuery):
    """Which reservations to list."""

    team_id: str | None = Field(default=None, description="Default: every team's, or the key's.", examples=["acme"])
    metric: str | None = Field(default=None, description="For this metric.", examples=["api_calls"])
    waiting: bool = Field(default=False, description="Only those that keep something free.")


class ThrottleRequest(BaseModel):
    """Whom to stop."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"team_id": "acme", "metric": "api_calls"}]}
    )

    team_id: str = Field(min_length=1, max_length=LONGEST)
    metric: str | None = Field(default=None, min_length=1, max_length=LONGEST, description="Default: every metric.")
    until: AwareDatetime | None = Field(default=None, description="Default: until it is ended.")
    cause: str = Field(default=MANUAL, min_length=1, max_length=LONGEST, description="Why; it is shown.")


class ThrottleQuery(BaseModel):
    """Whose throttles to list."""

    model_config = ConfigDict(extra="forbid")

    team_id: str | None = Field(default=None, description="Default: every team's, or the key's.", examples=["acme"])


class ThrottlesAnswer(BaseModel):
    """Who is stopped."""

    data: list[ThrottleAnswer]


class EndQuery(BaseModel):
    """Which throttle to end."""

    model_config = ConfigDict(extra="forbid")

    team_id: str = Field(min_length=1, max_length=LONGEST, examples=["acme"])
    metric: str | None = Field(default=None, min_length=1, max_length=LONGEST, description="As it was given.")
    cause: str = Field(default=MANUAL, min_length=1, max_length=LONGEST, description="As it was given.")


async def service(request: Request) -> Enforcement:
    """The application's enforcement."""
    return cast(Enforcement, request.app.state.enforcement)


Service = Annotated[Enforcement, Depends(service)]
LimitId = Annotated[int, Path(ge=1, lt=2**63, examples=[3])]
Metric = Annotated[str, Path(max_length=LONGEST, examples=["api_calls"])]


@router.put("/limits", responses=problems(400, 404))
async def put_limit(wanted: LimitRequest, enforcement: Service, who: Administrator) -> LimitAnswer:
    """Set a limit, in place of the one there is of the same team or plan, metric and type. Scope: admin."""
    return LimitAnswer.of(await enforcement.limits.put(wanted.wanted(), actor=who.actor))


@router.get("/limits")
async def list_limits(query: Annotated[LimitsQuery, Query()], enforcement: Service, who: Reader) -> Page[LimitAnswer]:
    """List limits, oldest first. Scope: read."""
    after = decode_cursor(query.cursor, int)[0] if query.cursor is not None else 0
    only = {"team_id": who.team(query.team_id), "plan": query.plan, "metric": query.metric}
    rows = await enforcement.limits.page(query.limit + 1, after=after, **only)
    shown, cursor = cut(rows, query.limit, lambda each: (each.id,))
    return Page(data=[LimitAnswer.of(each) for each in shown], next_cursor=cursor)


@router.get("/limits/policies")
async def list_policies(enforcement: Service, who: Reader) -> PoliciesAnswer:
    """Show what checks of each metric answer while usage can't be read. Scope: read, every team."""
    who.require_every_team()
    said = await enforcement.limits.policies()
    return PoliciesAnswer(data=[PolicyAnswer(metric=each, when_unavailable=answer) for each, answer in said.items()])


@router.put("/limits/policies/{metric}", responses=problems(400, 404))
async def put_policy(metric: Metric, wanted: PolicyRequest, enforcement: Service, _: Administrator) -> PolicyAnswer:
    """Say what checks of a metric answer while usage can't be read; the default is `open`. Scope: admin."""
    await enforcement.limits.set_policy(metric, wanted.when_unavailable)
    return PolicyAnswer(metric=metric, when_unavailable=wanted.when_unavailable)


@router.get("/limits/{limit_id}", responses=problems(404))
async def get_limit(limit_id: LimitId, enforcement: Service, who: Reader) -> LimitAnswer:
    """One limit. Scope: read."""
    found = await enforcement.limits.find(limit_id)
    if found.team_id is not None:
        who.require(Scope.READ, found.team_id)
    return LimitAnswer.of(found)


@router.delete(
    "/limits/{limit_id}", status_code=status.HTTP_204_NO_CONTENT, response_class=Response, responses=problems(404)
)
async def remove_limit(limit_id: LimitId, enforcement: Service, _: Administrator) -> None:
    """Remove a limit. Scope: admin."""
    await enforcement.limits.remove(limit_id)


@router.get("/reservations")
async def list_reservations(
    query: Annotated[ReservationsQuery, Query()], enforcement: Service, who: Reader
) -> Page[ReservationAnswer]:
    """List reservations, oldest first; those that are over for 30 days at most. Scope: read."""
    after = decode_cursor(query.cursor, datetime, UUID) if query.cursor is not None else BEGINNING
    rows = await enforcement.reservations.page(
        query.limit + 1, after=after, team_id=who.team(query.team_id), metric=query.metric, waiting=query.waiting
    )
    shown, cursor = cut(rows, query.limit, lambda each: (each.created_at, each.id))
    now = enforcement.clock.now()
    return Page(data=[ReservationAnswer.of(each, now) for each in shown], next_cursor=cursor)


@router.get("/reservations/{reservation_id}", responses=problems(404))
async def get_reservation(reservation_id: UUID, enforcement: Service, who: Reader) -> ReservationAnswer:
    """One reservation. Scope: read."""
    found = await enforcement.reservations.find(reservation_id)
    who.require(Scope.READ, found.team_id)
    return ReservationAnswer.of(found, enforcement.clock.now())


@router.post("/reservations/{reservation_id}/release", responses=problems(404, 409))
async def release_reservation(reservation_id: UUID, enforcement: Service, who: Ingester) -> ReservationAnswer:
    """Give back what a reservation keeps free. Again: nothing happens. Scope: ingest."""
    who.require(Scope.INGEST, (await enforcement.reservations.find(reservation_id)).team_id)
    released = await enforcement.reservations.release(reservation_id)
    return ReservationAnswer.of(released, enforcement.clock.now())


@router.get("/throttles")
async def list_throttles(
    query: Annotated[ThrottleQuery, Query()], enforcement: Service, who: Reader
) -> ThrottlesAnswer:
    """Who is stopped, for which metric, by which cause, until when. Scope: read."""
    found = await enforcement.throttles(who.team(query.team_id))
    return ThrottlesAnswer(data=[ThrottleAnswer.of(each) for each in found])


@router.put("/throttles", responses=BODY | problems(404))
async def put_throttle(wanted: ThrottleRequest, enforcement: Service, _: Administrator) -> ThrottlesAnswer:
    """Stop a team: checks are refused, whatever its limits say, until the cause ends. Scope: admin."""
    await enforcement.throttle(wanted.team_id, wanted.metric, state="throttled", until=wanted.until, cause=wanted.cause)
    found = await enforcement.throttles(wanted.team_id)
    return ThrottlesAnswer(data=[ThrottleAnswer.of(each) for each in found])


@router.delete("/throttles", responses=problems(404))
async def end_throttle(query: Annotated[EndQuery, Query()], enforcement: Service, _: Administrator) -> ThrottlesAnswer:
    """End one cause; answers those that are left. Again: nothing happens. Scope: admin."""
    await enforcement.throttle(query.team_id, query.metric, state="open", until=None, cause=query.cause)
    found = await enforcement.throttles(query.team_id)
    return ThrottlesAnswer(data=[ThrottleAnswer.of(each) for each in found])
