"""Setting up: who is which customer. A plan is made and shown first; applying it does what it shows, once."""

import csv
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import stripe

from tallystick.core.errors import InvalidInput
from tallystick.integrations.stripe.client import call
from tallystick.integrations.stripe.outcomes import StripeRefused
from tallystick.integrations.stripe.teams.models import Changes, Customer, KnownTeam, LinkedTeam, Mode, Terms
from tallystick.integrations.stripe.teams.service import StripeTeams

METADATA = "tallystick_team"
"""What a customer's metadata names its team by, unless another name is given."""

PAGE = 100
LONGEST_NAME = 256
UTC_ZONES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal", "Universal", "Zulu", "UCT"})


class Action(StrEnum):
    """What is done about a team."""

    KEEP = "keep"
    LINK = "link"
    CHANGE = "change"
    CREATE = "create"
    MISSING = "missing"
    CONFLICT = "conflict"


DOES = frozenset({Action.LINK, Action.CHANGE, Action.CREATE})


class Step(NamedTuple):
    """What is to be done about a team, and why, or why not. `before` is the customer that it was, if it is gone."""

    team_id: str
    action: Action
    customer_id: str | None
    terms: Terms
    note: str = ""
    before: str = ""


class Wanted(NamedTuple):
    """What is asked for.

    Attributes:
        customers: of which customer a team is, said one by one or by a file; goes before metadata.
        changes: of the terms of all teams that are looked at; new ones begin with the defaults.
        by_team: all terms of single teams.
        metadata: the name in customers' metadata that teams are found by; None: they are not.
        create: make a customer for a team that has none.
        only: look at these teams alone.
    """

    customers: Mapping[str, str] = {}
    changes: Changes = Changes()
    by_team: Mapping[str, Terms] = {}
    metadata: str | None = METADATA
    create: bool = False
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """Links the teams of an installation with the customers of an account."""

    teams: StripeTeams
    client: stripe.StripeClient

    async def plan(self, wanted: Wanted) -> list[Step]:
        """What would be done, by team.

        Raises:
            NotFound, InvalidInput: a team that there is not.
            StripeRefused: the customers can't be listed.
        """
        known = {team.id: team for team in await self.teams.known()}
        if unknown := sorted({*wanted.customers, *wanted.by_team, *(wanted.only or ())} - known.keys()):
            raise InvalidInput(f"there is no team {unknown[0]!r}")
        linked = {each.team_id: each for each in await self.teams.all()}
        there = await self._customers(wanted.metadata)
        found = _by_team(there)
        linked = _without_the_gone(linked, self.teams.account, {each.id for each in there})
        ids = [id for id in known if wanted.only is None or id in wanted.only]
        steps = [await self._step(id, wanted, linked.get(id), found.get(id, ())) for id in ids]
        settled = _without_rivals(steps, [each for id, each in linked.items() if id not in ids])
        return [_with_warning(step, known[step.team_id]) for step in settled]

    async def apply(self, steps: Sequence[Step]) -> int:
        """Do what a plan says; how many teams were changed. What was done is kept when a later step fails.

        Raises:
            StripeRefused: a customer can't be made.
        """
        names = {team.id: team.name for team in await self.teams.known()}
        done = 0
        for step in steps:
            if step.action in DOES:
                customer_id = step.customer_id or await self._create(step, names[step.team_id])
                await self.teams.link(step.team_id, customer_id, step.terms)
                done += 1
        return done

    async def _step(self, team_id: str, wanted: Wanted, linked: LinkedTeam | None, found: Sequence[Customer]) -> Step:
        terms = wanted.by_team.get(team_id) or wanted.changes.of(_terms_of(linked))
        said = wanted.customers.get(team_id)
        if said is not None:
            note = await self._trouble(said)
            return _decided(team_id, said, terms, linked) if not note else _refused(team_id, said, terms, note)
        if len(found) > 1:
            names = ", ".join(each.id for each in found)
            return _refused(team_id, None, terms, f"several customers name it: {names}")
        here = linked is not None and linked.account == self.teams.account
        if found:
            return _decided(team_id, found[0].id, terms, linked if here else None)
        gone = linked.customer_id if linked is not None and here and linked.gone_at is not None else ""
        if linked is not None and here and not gone:
            return _decided(team_id, linked.customer_id, terms, linked)
        why = f"its customer {gone} is deleted" if gone else "no customer names it"
        action = Action.CREATE if wanted.create else Action.MISSING
        return Step(team_id, action, None, terms, why if gone or not wanted.create else "", gone)

    async def _customers(self, name: str | None) -> list[Customer]:
        def listed() -> list[Any]:
            return list(self.client.v1.customers.list({"limit": PAGE}).auto_paging_iter())

        return [_customer(each, name) for each in await call("list customers", listed)]

    async def _trouble(self, customer_id: str) -> str:
        """Why a customer can't be taken; empty: it can."""
        try:
            found: Any = await call("look at a customer", self.client.v1.customers.retrieve, customer_id)
        except StripeRefused as refused:
            if refused.outcome.status == 404:
                return f"Stripe has no customer {customer_id}"
            raise
        return f"customer {customer_id} is deleted" if getattr(found, "deleted", False) else ""

    async def _create(self, step: Step, name: str) -> str:
        params: Any = {"name": (name or step.team_id)[:LONGEST_NAME], "metadata": {METADATA: step.team_id}}
        key = f"tallystick-customer:{self.teams.account}:{step.before}:{step.team_id}"
        made = await call("create a customer", self.client.v1.customers.create, params, {"idempotency_key": key[:255]})
        return str(made.id)


def read_mapping(lines: Iterable[str]) -> dict[str, str]:
    """Teams and customers of a CSV file with the columns `team` and `customer`.

    Raises:
        InvalidInput: a column or a value is missing, or a team is there twice.
    """
    rows = csv.DictReader(lines)
    if not {"team", "customer"} <= set(rows.fieldnames or ()):
        raise InvalidInput("the file needs a header with the columns team and customer")
    found: dict[str, str] = {}
    for row in rows:
        team, customer = (str(row[name] or "").strip() for name in ("team", "customer"))
        if not team or not customer or team in found:
            problem = f"team {team} is there twice" if team in found else "team and customer are both needed"
            raise InvalidInput(f"line {rows.line_num}: {problem}")
        found[team] = customer
    return found


def _without_the_gone(linked: Mapping[str, LinkedTeam], account: str, there: Collection[str]) -> dict[str, LinkedTeam]:
    """Links as they are, with those marked whose customer the account does not have any more."""
    return {
        id: each._replace(gone_at=each.gone_at or each.linked_at)
        if each.account == account and each.customer_id not in there
        else each
        for id, each in linked.items()
    }


def _customer(found: Any, name: str | None) -> Customer:
    metadata = found.metadata.to_dict() if found.metadata is not None and name else {}
    return Customer(found.id, metadata.get(name) or None, getattr(found, "deleted", False))


def _by_team(customers: Sequence[Customer]) -> dict[str, list[Customer]]:
    found: dict[str, list[Customer]] = {}
    for customer in customers:
        if customer.team_id is not None and not customer.deleted:
            found.setdefault(customer.team_id, []).append(customer)
    return found


def _terms_of(linked: LinkedTeam | None) -> Terms:
    return Terms(linked.mode, linked.late_policy, linked.collection) if linked else Terms()


def _decided(team_id: str, customer_id: str, terms: Terms, linked: LinkedTeam | None) -> Step:
    if linked is None:
        return Step(team_id, Action.LINK, customer_id, terms)
    same_terms = terms._replace(billed_from=None) == _terms_of(linked) and terms.billed_from in (
        None,
        linked.billed_from,
    )
    if linked.customer_id == customer_id and same_terms and linked.gone_at is None:
        return Step(team_id, Action.KEEP, customer_id, terms)
    before = f"was {linked.customer_id}" if linked.customer_id != customer_id else "other terms"
    return Step(team_id, Action.CHANGE, customer_id, terms, before)


def _refused(team_id: str, customer_id: str | None, terms: Terms, note: str) -> Step:
    return Step(team_id, Action.CONFLICT, customer_id, terms, note)


def _with_warning(step: Step, team: KnownTeam) -> Step:
    """A team that Stripe bills itself should have Stripe's months."""
    if step.action not in DOES or step.terms.mode is not Mode.METERS or team.time_zone in UTC_ZONES:
        return step
    warning = f"its months are of {team.time_zone}, Stripe's of UTC: the hours between are on another invoice"
    return step._replace(note=f"{step.note}; {warning}".removeprefix("; "))


def _without_rivals(steps: Sequence[Step], others: Sequence[LinkedTeam]) -> list[Step]:
    """No two teams are one customer."""
    taken = {each.customer_id: each.team_id for each in others}
    result = []
    for step in steps:
        rival = taken.get(step.customer_id) if step.customer_id else None
        if rival is not None:
            result.append(step._replace(action=Action.CONFLICT, note=f"the customer is team {rival}"))
            continue
        if step.customer_id:
            taken[step.customer_id] = step.team_id
        result.append(step)
    return result
