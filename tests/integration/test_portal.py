"""A portal token shows one team: the API refuses the rest, and the database shows nothing of it whatever is asked."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from tallystick.api.document import document
from tallystick.core.clock import Interval
from tallystick.core.errors import Forbidden, StorageError
from tallystick.core.settings import Settings
from tallystick.metering.usage import UsageQuestion
from tallystick.portal.role import COMMON, HIDDEN, PortalNotReady, prepare
from tallystick.storage.database import Database
from tallystick.storage.migrate import migrate
from tallystick.storage.tenancy import as_team, role_of
from tests.integration.billing_setup import opened
from tests.integration.portal_setup import MINE, THEIRS, Door, door, fill, furnish

SHUT = {
    "alembic_version", "api_keys", "catalogue_revisions", "enforcement_changes", "inbound_tallies", "invoice_counters",
    "notification_channels", "notification_keys", "notification_secrets", "overview_touched", "portal_signing_keys",
    "rollup_touched", "stripe_batches", "stripe_events", "stripe_meter_prices", "stripe_meters",
}  # fmt: skip
"""Tables that no team's browser has any business with: its role may not read them at all."""

FOR_EVERYBODY = ("/api/currencies", "/api/usage/limits/policies", "/api/v1/meters", "/api/session", "/health")
"""What says nothing of any team."""


@pytest.fixture
async def filled(database, clock) -> AsyncIterator[Door]:
    async with opened(database, clock) as house:
        await furnish(house)
        async with door(house) as made:
            await fill(made)
            yield made


# --- What the database shows ------------------------------------------------------------------------

TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'portal'),
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'team_id' AND NOT a.attisdropped)
FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


def role_in(url: str) -> str:
    return role_of(str(conninfo_to_dict(url)["dbname"]))


def rows(url: str, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).fetchall()


def test_every_table_either_shows_a_team_its_rows_or_says_nothing_of_any(database_url):
    """A new table has to be decided about: a policy in its migration, COMMON, or SHUT."""
    for name, secured, _, has_policy, has_team in rows(database_url, TABLES):
        if has_policy:
            assert secured, f"the policy of {name} is not in force"
            assert name not in SHUT | set(COMMON), f"{name} is decided about twice"
        else:
            assert name in SHUT | set(COMMON), f"who may see {name}? see storage/migrations/versions/0019_portal.sql"
            assert name in SHUT or not has_team, f"{name} has rows of teams, and no policy"


def test_nothing_runs_with_its_owners_rights_or_past_the_policies(database_url):
    views = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')"
    assert rows(database_url, views) == [], "a view is read with the rights of its owner, who sees everything"
    functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    assert rows(database_url, functions) == []


async def test_the_role_may_read_what_has_a_policy_or_no_team_and_nothing_else(database):
    await prepare(database)
    granted = """SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s"""
    found = rows(database.url, granted, role_in(database.url))
    with_policy = {row[0] for row in rows(database.url, TABLES) if row[3]}
    assert {right for _, right in found} == {"SELECT"}
    assert {table for table, _ in found} == (with_policy | set(COMMON)) - set(HIDDEN)


async def test_a_query_that_forgets_the_team_finds_the_rows_of_one(filled):
    database, url = filled.house.database, filled.house.database.url
    readable = {row[0] for row in rows(url, TABLES) if row[3]} - set(HIDDEN)
    seen_of_both = set()
    for table in sorted(readable):
        everything = SQL("SELECT t::text FROM {} t").format(Identifier(table))
        whole = [text for (text,) in rows(url, everything)]
        with as_team(MINE):
            async with database.snapshot() as tx:
                shown = [text for (text,) in await (await tx.execute(everything)).fetchall()]
        assert not [text for text in shown if THEIRS in text], table
        assert set(shown) <= set(whole)
        if len(shown) < len(whole) and shown:
            seen_of_both.add(table)
    assert seen_of_both >= {
        "teams", "usage_events", "usage_aggregates", "event_identities", "event_corrections", "dead_letters",
        "dead_letter_edits", "subscriptions", "metered_billing_periods", "statement_lines", "invoices",
        "invoice_recipients", "credit_grants", "credit_accounts", "credit_transactions", "credit_entries",
        "usage_limits", "usage_throttles", "usage_reservations", "usage_alerts", "usage_alert_steps",
        "usage_alert_states", "usage_alert_history", "notification_preferences", "overview_teams", "notifications",
    }  # fmt: skip


async def test_a_query_that_asks_for_another_team_finds_nothing(filled):
    database, usage = filled.house.database, filled.house.metering.usage
    period = filled.house.clock.now().replace(month=3, day=1, hour=0)
    question = UsageQuestion("api_calls", THEIRS, [Interval(period, period + timedelta(days=31))])
    [[found]] = await usage.read([question])
    assert found.events == 1
    with as_team(MINE):
        [[hidden]] = await usage.read([question])
        assert hidden.events == 0
        async with database.snapshot() as tx:
            asked = await tx.execute("SELECT * FROM usage_events WHERE team_id = %s", [THEIRS])
            assert await asked.fetchall() == []
            joined = await tx.execute("SELECT l.* FROM statement_lines l LEFT JOIN metered_billing_periods p "
                                      "ON p.id = l.period_id WHERE p.team_id IS DISTINCT FROM %s", [MINE])  # fmt: skip
            assert await joined.fetchall() == []


REFUSED = (
    "SELECT * FROM api_keys",
    "SELECT * FROM notification_secrets",
    "SELECT * FROM portal_signing_keys",
    "SELECT * FROM portal_tokens",
    "SELECT * FROM catalogue_revisions",
    "SELECT * FROM usage_events_2026_03",
    "UPDATE teams SET name = 'x'",
    "DELETE FROM usage_events",
    "INSERT INTO rollup_touched (team_id, touched_at) VALUES ('acme', now())",
    "ALTER TABLE teams DISABLE ROW LEVEL SECURITY",
    "DROP POLICY portal ON teams",
    "CREATE TABLE mine AS SELECT * FROM teams",
    "COPY teams TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
    "LOCK TABLE teams",
    "TRUNCATE teams",
)


async def test_what_is_not_to_be_seen_or_done_is_refused_by_the_database(database, clock):
    await prepare(database)
    async with database.statements() as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS usage_events_2026_03 PARTITION OF usage_events "
                                 "FOR VALUES FROM ('2026-03-01Z') TO ('2026-04-01Z')")  # fmt: skip
    for statement in REFUSED:
        with as_team(MINE), pytest.raises((Forbidden, psycopg.errors.InsufficientPrivilege)):
            async with database.transaction() as tx:
                await tx.execute(statement)


async def test_without_a_team_the_role_sees_no_row(filled):
    role = role_in(filled.house.database.url)
    for team_id in ("", None):
        async with filled.house.database.transaction() as tx:
            await tx.execute(SQL("SET LOCAL ROLE {}").format(Identifier(role)))
            if team_id is not None:
                await tx.execute("SELECT set_config('tallystick.team_id', %s, true)", [team_id])
            assert await (await tx.execute("SELECT * FROM teams")).fetchall() == []


async def test_a_connection_that_showed_one_team_shows_all_to_the_next(database_url, clock):
    async with await Database.open(Settings(database_url=database_url, pool_size=3)) as database:
        await prepare(database)
        for _ in range(20):
            for within in (database.snapshot, database.transaction, database.statements):
                with as_team("nobody"):
                    async with within() as tx:
                        found = await (await tx.execute("SELECT current_user")).fetchone()
                        assert found == (role_in(database_url),)
                async with within() as tx:
                    found = await (await tx.execute("SELECT current_user = session_user, "
                                                    "coalesce(current_setting('tallystick.team_id', true), '')"
                                                    )).fetchone()  # fmt: skip
                    assert found == (True, "")


async def test_a_bare_connection_is_not_given_out_on_behalf_of_a_team(database):
    with as_team(MINE), pytest.raises(Forbidden):
        async with database.connection():
            pass
    with as_team(MINE), pytest.raises(Forbidden):
        await database.another_connection()


# --- What the API answers ---------------------------------------------------------------------------


def operations(*methods: str) -> list[tuple[str, str]]:
    found = [(method, path) for path, ways in document()["paths"].items() for method in ways]
    return sorted((method.upper(), path) for method, path in found if method.upper() in methods)


async def ids_of(door: Door, team_id: str) -> dict[str, list[Any]]:
    """Of everything that a path can name, the ids that are this team's."""

    async def listed(path: str, name: str = "id") -> list[Any]:
        return [each[name] for each in (await door.as_admin("GET", f"{path}team_id={team_id}"))["data"]]

    lines = rows(door.house.database.url, "SELECT l.id FROM statement_lines l JOIN metered_billing_periods p "
                 "ON p.id = l.period_id WHERE p.team_id = %s", team_id)  # fmt: skip
    deliveries = rows(door.house.database.url, "SELECT d.id FROM notification_deliveries d JOIN notifications n "
                      "ON n.id = d.notification_id WHERE n.team_id = %s", team_id)  # fmt: skip
    return {
        "team_id": [team_id],
        "event_id": await listed("/api/usage/events?"),
        "letter_id": await listed("/api/usage/dead-letters?"),
        "grant_id": await listed("/api/billing/credits?"),
        "invoice_id": await listed("/api/billing/invoices?"),
        "period_id": await listed("/api/billing/periods?status=closed&"),
        "line_id": [id for (id,) in lines],
        "alert_id": [rows(door.house.database.url, "SELECT id FROM usage_alerts WHERE team_id = %s", team_id)[0][0]],
        "entry_id": await listed("/api/usage/alerts/history?"),
        "limit_id": await listed("/api/usage/limits?"),
        "reservation_id": await listed("/api/usage/reservations?"),
        "delivery_id": [id for (id,) in deliveries],
        "metric": ["api_calls"],
        "slug": ["api_calls"],
        "name": ["ops"],
        "source": ["x"],
    }


def addressed(path: str, ids: dict[str, list[Any]]) -> str | None:
    for name, values in ids.items():
        if f"{{{name}}}" in path:
            if not values:
                return None
            path = path.replace(f"{{{name}}}", str(values[0]))
    return path


async def test_no_address_shows_anything_of_another_team(filled):
    """Every address that can be read: with another team's ids in it, with another team named, and with none."""
    theirs, mine = await ids_of(filled, THEIRS), await ids_of(filled, MINE)
    named = (f"team_id={THEIRS}", f"subject={THEIRS}", f"search={THEIRS}", "")
    seen = 0
    for _, path in operations("GET"):
        if path in ("/api/live", "/docs"):
            continue
        if "{" not in path:
            seen += await _looked_at(filled, path, named, refused=not path.startswith(FOR_EVERYBODY))
            continue
        for ids in (theirs, mine):
            if (address := addressed(path, ids)) is not None:
                refused = ids is theirs and "{metric}" not in path and "{slug}" not in path
                seen += await _looked_at(filled, address, ("", named[0]), refused=refused, always=True)
    assert seen > 30


async def _looked_at(door: Door, address: str, queries: Sequence[str], *, refused: bool, always: bool = False) -> int:
    """Ask at an address, and look for the other team in what is answered."""
    seen = 0
    for query in queries:
        answer = await door.mine.get(f"{address}?{query}")
        asked = f"{address}?{query}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, asked
        assert THEIRS not in answer.text or answer.status_code in (403, 404, 422), asked
        if refused and (always or query == f"team_id={THEIRS}"):
            assert answer.status_code in (403, 404, 422), asked
        seen += answer.status_code == 200
    return seen


async def test_a_token_shows_its_own_team_as_a_key_does(filled):
    ids = await ids_of(filled, MINE)
    same = 0
    for _, path in operations("GET"):
        if not path.startswith(("/api/billing", "/api/usage", "/api/teams", "/api/notifications/preferences")):
            continue
        address = addressed(path, ids)
        if address is None or path == "/api/teams" or path.endswith(("/export", "/check")):
            continue
        key, token = [await client.get(f"{address}?team_id={MINE}") for client in (filled.admin, filled.mine)]
        if key.status_code == 422:
            key, token = [await client.get(address) for client in (filled.admin, filled.mine)]
        if key.status_code == 200 and token.status_code != 403:
            assert token.status_code == 200, (address, token.text)
            assert token.content == key.content, address
            same += 1
    assert same >= 20


async def test_a_token_only_looks(filled):
    ids = await ids_of(filled, MINE)
    for method, path in operations("POST", "PUT", "PATCH", "DELETE"):
        answer = await filled.mine.request(method, addressed(path, ids) or path, json={"team_id": MINE})
        signed = path.startswith("/api/webhooks/")
        assert answer.status_code == 403 or signed, f"{method} {path}: {answer.status_code} {answer.text[:200]}"


async def test_a_token_says_whose_it_is_and_sees_nothing_that_concerns_every_team(filled):
    said = (await filled.mine.get("/api/session")).json()
    assert (said["mode"], said["team_id"], said["scopes"]) == ("portal", MINE, ["read"])
    assert said["expires_at"] == "2026-04-04T13:00:00Z"
    for path in ("/api/overview", "/api/keys", "/api/portal/tokens", "/api/portal/keys"):
        assert (await filled.mine.get(path)).status_code == 403


# --- Where roles can't be made ----------------------------------------------------------------------


@pytest.fixture
def modest_url(server_url, database_url):
    """A database owned by a user who may do nothing else."""
    dbname = str(conninfo_to_dict(database_url)["dbname"])
    user, other = f"modest_{dbname[-8:]}", f"{dbname}_m"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'modest'").format(Identifier(user)))
        admin.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(other), Identifier(user)))
    try:
        yield make_conninfo(database_url, dbname=other, user=user, password="modest")
    finally:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(other)))
            admin.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(role_of(other))))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(user)))


async def test_who_may_not_make_roles_is_told_what_to_do_and_that_is_enough(modest_url, server_url):
    async with await Database.open(Settings(database_url=modest_url)) as database:
        with pytest.raises(PortalNotReady, match="CREATE ROLE") as refused:
            await prepare(database)
        advice = str(refused.value).partition("do it once: ")[2]
        with psycopg.connect(server_url, autocommit=True) as admin:
            for statement in advice.split(";"):
                admin.execute(statement)
        await prepare(database)
        with as_team(MINE):
            async with database.snapshot() as tx:
                assert await (await tx.execute("SELECT * FROM teams")).fetchall() == []


async def test_a_role_that_could_do_more_than_it_should_is_not_used(modest_url, server_url):
    role = role_in(modest_url)
    async with await Database.open(Settings(database_url=modest_url)) as database:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(SQL("CREATE ROLE {} BYPASSRLS").format(Identifier(role)))
            admin.execute(
                SQL("GRANT {} TO {}").format(Identifier(role), Identifier(str(conninfo_to_dict(modest_url)["user"])))
            )
        with pytest.raises(PortalNotReady, match="row-level"):
            await prepare(database)


def test_a_user_whom_the_policies_would_blind_is_refused_at_the_start(database_url, server_url):
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE half_blind LOGIN PASSWORD 'x'")
    try:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO half_blind")
        with pytest.raises(StorageError, match="does not own"):
            migrate(make_conninfo(database_url, user="half_blind", password="x"))
    finally:
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute("DROP OWNED BY half_blind")
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute("DROP ROLE half_blind")
