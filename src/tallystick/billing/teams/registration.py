"""Teams that register themselves with their first event, where TALLYSTICK_AUTO_REGISTER_TEAMS allows it.

They get the catalogue's defaults: its time zone, and its plan from the local midnight before, so that the
event that brought them is on their first bill.
"""

from collections.abc import Sequence
from datetime import datetime

from tallystick.billing.teams import store
from tallystick.billing.teams.models import Team
from tallystick.catalog import store as catalogue
from tallystick.catalog.models import Anchor
from tallystick.core.clock import local_midnight, zone
from tallystick.storage.database import Connection


async def register_teams(tx: Connection, team_ids: Sequence[str], now: datetime) -> None:
    """Create those of the teams that don't exist, and put them on the default plan if there is one."""
    defaults = await catalogue.defaults(tx)
    tz = zone(defaults.time_zone)
    for team_id in team_ids:
        team = Team(team_id, team_id, defaults.time_zone, {}, now)
        if await store.insert_team(tx, team, "{}") and defaults.plan is not None:
            values = {
                "team_id": team_id,
                "plan": defaults.plan,
                "starts_at": local_midnight(now.astimezone(tz).date(), tz),
                "ends_at": None,
                "anchor": str(Anchor.CALENDAR),
                "created_at": now,
            }
            await store.insert_subscription(tx, values)
