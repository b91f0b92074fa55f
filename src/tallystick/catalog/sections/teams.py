"""The `teams` section, and the `defaults` of teams that register themselves."""

from collections.abc import Collection
from functools import partial

from tallystick.catalog.models import Anchor, Defaults, TeamEntry
from tallystick.catalog.place import Fields, Place

_SUBSCRIPTION_KEYS = ("start", "end", "anchor")
KEYS = ("name", "time_zone", "plan", *_SUBSCRIPTION_KEYS)
DEFAULT_KEYS = ("plan", "time_zone")


def read_teams(section: Place, plans: Collection[str]) -> dict[str, TeamEntry]:
    """The teams by id."""
    teams = {}
    for team_id, key, value in section.entries():
        key.attempt(Place.key)
        if team := value.attempt(partial(_read_team, team_id=team_id, plans=plans)):
            teams[team_id] = team
    return teams


def _read_team(place: Place, team_id: str, plans: Collection[str]) -> TeamEntry:
    fields = place.fields(KEYS)
    _refuse_without_plan(fields)
    return TeamEntry(
        id=team_id,
        name=fields.read("name", Place.key),
        time_zone=fields.read("time_zone", Place.zone),
        plan=fields.read("plan", lambda value: value.one_of(plans, "plan")),
        start=fields.read("start", Place.day_or_instant),
        end=fields.read("end", Place.day_or_instant),
        anchor=fields.read("anchor", lambda value: value.choice(Anchor)) or Anchor.CALENDAR,
        origin=fields.origin,
    )


def _refuse_without_plan(fields: Fields) -> None:
    if not fields.given("plan"):
        for key in fields.given(*_SUBSCRIPTION_KEYS):
            fields.at(key).refuse("needs plan, the plan that the team is on")


def read_defaults(place: Place, plans: Collection[str] | None) -> Defaults:
    """The defaults; `plans` are those that may be named, None where any may."""
    fields = place.fields(DEFAULT_KEYS)
    plan = fields.read("plan", Place.key if plans is None else lambda value: value.one_of(plans, "plan"))
    return Defaults(plan, fields.read("time_zone", Place.zone) or "UTC")
