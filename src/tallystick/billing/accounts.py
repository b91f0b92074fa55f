"""A team's terms at a moment: its subscription, the period it is in, and the prices of that period."""

from collections import defaultdict
from datetime import datetime

from tallystick.billing.models import Account
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Subscription, Team
from tallystick.billing.teams.service import required_team
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.store import price_versions
from tallystick.core.clock import Interval, Window, next_window, window_start
from tallystick.storage.database import Connection

MOMENT = datetime.resolution


async def account_of(tx: Connection, team_id: str, as_of: datetime) -> Account:
    """The account of the team of that id.

    Raises:
        NotFound: there is no such team.
    """
    return await load_account(tx, await required_team(tx, team_id), as_of)


async def load_account(tx: Connection, team: Team, as_of: datetime) -> Account:
    """The team's account at a moment."""
    held = await store.subscriptions(tx, team.id, Interval(as_of, as_of + MOMENT))
    subscription = held[-1] if held else None
    period = _period(team, subscription, as_of)
    prices: dict[str, list[PriceVersion]] = defaultdict(list)
    if subscription is not None:
        for version in await price_versions(tx, subscription.plan, period):
            prices[version.price.metric].append(version)
    return Account(team, as_of, period, subscription, dict(prices))


def _period(team: Team, subscription: Subscription | None, as_of: datetime) -> Interval:
    """The billing period at the moment; without a subscription the calendar month, in the team's zone."""
    if subscription is not None and (period := subscription.schedule(team.zone).period_containing(as_of)):
        return period.interval
    start = window_start(as_of, Window.MONTH, team.zone)
    return Interval(start, next_window(start, Window.MONTH, team.zone))
