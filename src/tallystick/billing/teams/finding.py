"""Finds a team, a subscription or a plan that somebody names, and says in one line what is wrong with it."""

from datetime import datetime
from typing import NoReturn

from tallystick.billing.periods import LATEST
from tallystick.billing.teams import store
from tallystick.billing.teams.models import Subscription, Team
from tallystick.catalog.terms import family_of, version_of, versioned
from tallystick.core.clock import EARLIEST
from tallystick.core.errors import InvalidInput, NotFound
from tallystick.http.answers import rfc3339
from tallystick.storage.database import Connection

MOST_NAMED = 20


async def required_team(tx: Connection, team_id: str, *, lock: bool = False) -> Team:
    """The team of that id; locked, if asked for, until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    known = team_id.isprintable()  # PostgreSQL's text holds no NUL
    return (await store.find_team(tx, team_id, lock=lock) if known else None) or no_team(team_id)


def no_team(team_id: str) -> NoReturn:
    """Say that there is no such team.

    Raises:
        NotFound: always.
    """
    raise NotFound(f"there is no team {team_id!r}")


async def required_subscription(tx: Connection, team_id: str, subscription_id: int) -> Subscription:
    """The team's subscription of that number.

    Raises:
        NotFound: it has none.
    """
    if found := await store.find_subscription(tx, team_id, subscription_id):
        return found
    raise NotFound(f"team {team_id!r} has no subscription {subscription_id}")


async def required_plan(tx: Connection, plan: str, version: int | None = None, *, present: str | None = None) -> str:
    """What a plan on offer is stored under: of `growth` the newest version, of `growth@2` that one.

    A team stays on a version that is not on offer any more, so the one that it is on (`present`) may be named, too.

    Raises:
        InvalidInput: there is no such plan or version on offer.
    """
    offers = await store.plans_on_offer(tx)
    family, named = family_of(plan), version_of(plan) if _has_version(plan) else None
    versions = [offer.version for offer in offers if offer.family == family]
    if present is not None and family_of(present) == family and version_of(present) not in versions:
        versions.insert(0, version_of(present))
    if not versions or ("@" in plan and named is None):
        shown = ", ".join(sorted({offer.name for offer in offers})[:MOST_NAMED]) or "none is defined yet"
        raise InvalidInput(f"there is no plan {plan!r}; there are: {shown}", field="plan")
    if version is not None and named not in (None, version):
        raise InvalidInput(f"plan {plan!r} is not version {version}", field="plan_version")
    wanted = version or named or versions[-1]
    if wanted not in versions:
        there_are = ", ".join(map(str, versions))
        raise InvalidInput(
            f"plan {family!r} is not on offer in version {wanted}, but in {there_are}", field="plan_version"
        )
    return versioned(family, wanted)


def _has_version(plan: str) -> bool:
    return plan.partition("@")[2].isdecimal()


def check_instant(moment: datetime | None, field: str) -> None:
    """Refuse an instant at which nothing begins or ends here; None is no instant.

    Raises:
        InvalidInput: before or after the years that are kept.
    """
    if moment is not None and not EARLIEST <= moment < LATEST:
        raise InvalidInput(f"{field} must lie between {rfc3339(EARLIEST)} and {rfc3339(LATEST)}", field=field)
