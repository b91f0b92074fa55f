"""A team's terms in a period: its subscription, the prices and terms of its plan, and its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from tallystick.billing.models import Account
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Subscription, Team
from tallystick.billing.teams.service import required_team
from tallystick.catalog.models import PriceVersion
from tallystick.catalog.price_book import PriceBook
from tallystick.core.clock import Interval, Window, next_window, window_start
from tallystick.storage.database import Connection

MOMENT = datetime.resolution


class Occasion(NamedTuple):
    """Who is charged for when: a team, its subscription, the period, and the period had it not been cut."""

    team: Team
    subscription: Subscription | None
    period: Interval
    full: Interval


async def account_of(
    tx: Connection, team_id: str, moment: datetime, *, as_of: datetime | None = None, known_at: datetime | None = None
) -> Account:
    """The account of the team of that id in the period that holds the moment.

    Args:
        tx: a snapshot or transaction.
        team_id: whose.
        moment: which period.
        as_of: seen from when; default: from the moment.
        known_at: by what was recorded up to then; default: by everything.

    Raises:
        NotFound: there is no such team.
    """
    return await load_account(tx, await required_team(tx, team_id), moment, as_of=as_of, known_at=known_at)


async def first_subscribed(tx: Connection, team: Team, span: Interval) -> datetime:
    """The first moment of the span at which the team has a subscription; its beginning, where it has none in it.

    So a month means the period that is billed in it, also for a team that starts in the middle of it.
    """
    held = await store.subscriptions(tx, team.id, span, limit=1)
    return max(span.start, held[0].starts_at) if held else span.start


async def load_account(
    tx: Connection, team: Team, moment: datetime, *, as_of: datetime | None = None, known_at: datetime | None = None
) -> Account:
    """The team's account in the period that holds the moment."""
    found = await store.subscriptions_of(tx, [team.id], Interval(moment, moment + MOMENT), known_at)
    occasion = occasion_of(team, found[team.id][-1] if found[team.id] else None, moment)
    [account] = await load_accounts(tx, [occasion], as_of=as_of or moment, known_at=known_at)
    return account


async def load_accounts(
    tx: Connection, occasions: Sequence[Occasion], *, as_of: datetime, known_at: datetime | None = None
) -> list[Account]:
    """The accounts of many, in a few statements.

    Args:
        tx: a snapshot or transaction.
        occasions: whose and for when.
        as_of: the moment they are seen from.
        known_at: by what was recorded up to then; default: by everything.
    """
    if not occasions:
        return []
    plans = {each.subscription.plan for each in occasions if each.subscription}
    span = Interval(min(each.period.start for each in occasions), max(each.period.end for each in occasions))
    book = await PriceBook.load(tx, plans, span, {each.team.id for each in occasions}, known_at)
    return [account_from(book, each, as_of=as_of, known_at=known_at) for each in occasions]


def account_from(book: PriceBook, occasion: Occasion, *, as_of: datetime, known_at: datetime | None = None) -> Account:
    """The account with the prices and terms of a loaded book."""
    team, subscription, period, full = occasion
    if subscription is None:
        return Account(team, as_of, period, None, {}, full, known_at=known_at)
    return Account(
        team=team,
        as_of=as_of,
        period=period,
        subscription=subscription,
        prices=by_name(book.prices(subscription.plan, period, team.id)),
        full=full,
        terms=book.plan_terms(subscription.plan, period),
        agreed=book.team_terms(team.id, period),
        known_at=known_at,
    )


def by_name(versions: Iterable[PriceVersion]) -> Mapping[str, Sequence[PriceVersion]]:
    """The versions of each price, in the order given."""
    found: dict[str, list[PriceVersion]] = defaultdict(list)
    for version in versions:
        found[version.price.label].append(version)
    return dict(found)


def occasion_of(team: Team, subscription: Subscription | None, moment: datetime) -> Occasion:
    """The billing period at the moment; without a subscription the calendar month, in the team's zone."""
    if subscription is not None and (period := subscription.schedule(team.zone).period_containing(moment)):
        return Occasion(team, subscription, period.interval, period.full)
    start = window_start(moment, Window.MONTH, team.zone)
    month = Interval(start, next_window(start, Window.MONTH, team.zone))
    return Occasion(team, None, month, month)
