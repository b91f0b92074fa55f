from itertools import product

import pytest

from tallystick.core.errors import Forbidden
from tallystick.http.principal import DEVELOPER, Principal, Scope


def key(*scopes: Scope, team: str | None = None) -> Principal:
    return Principal("7Q2M4KX0TB", "gateway", frozenset(scopes), team)


@pytest.mark.parametrize(("has", "needed"), list(product(Scope, Scope)))
def test_admin_implies_every_scope_and_others_only_themselves(has, needed):
    assert key(has).allows(needed) is (has in (needed, Scope.ADMIN))


def test_a_missing_scope_is_named_with_those_the_key_has():
    with pytest.raises(Forbidden, match="needs the scope admin; API key 7Q2M4KX0TB has ingest, read"):
        key(Scope.READ, Scope.INGEST).require(Scope.ADMIN)


def test_a_key_of_one_team_touches_no_other():
    acme = key(Scope.READ, team="acme")
    acme.require(Scope.READ, "acme")
    with pytest.raises(Forbidden, match="for team 'acme' alone"):
        acme.require(Scope.READ, "globex")


def test_a_key_of_every_team_touches_any():
    key(Scope.READ).require(Scope.READ, "globex")


@pytest.mark.parametrize(
    ("bound_to", "named", "meant"),
    [(None, None, None), (None, "globex", "globex"), ("acme", None, "acme"), ("acme", "acme", "acme")],
)
def test_a_request_that_names_no_team_is_about_the_keys_own(bound_to, named, meant):
    assert key(Scope.READ, team=bound_to).team(named) == meant


def test_a_request_about_another_team_is_refused():
    with pytest.raises(Forbidden):
        key(Scope.READ, team="acme").team("globex")


def test_the_developer_may_do_everything():
    for scope in Scope:
        DEVELOPER.require(scope, "any team")
