"""Bringing a database with overlapping subscriptions, which earlier versions let in, up to date."""

from importlib.resources import files

import psycopg
import pytest
from psycopg.sql import SQL

from tests.conftest import temporary_database

BEFORE = ("0001_foundation.sql", "0002_usage_known_at.sql", "0003_catalogue_terms.sql")
HELD = """
INSERT INTO teams (id, name, created_at) VALUES ('acme', 'Acme', now()), ('globex', 'Globex', now());
INSERT INTO plans (name, family, currency, period_unit, period_every, created_at)
VALUES ('standard', 'standard', 'USD', 'month', 1, now());
INSERT INTO subscriptions (team_id, plan, starts_at, ends_at, created_at) VALUES
    ('acme', 'standard', '2026-01-01Z', 'infinity', '2026-01-01Z'),
    ('acme', 'standard', '2026-02-01Z', '2026-06-01Z', '2026-01-01Z'),
    ('acme', 'standard', '2026-03-01Z', 'infinity', '2026-01-01Z'),
    ('acme', 'standard', '2026-03-01Z', 'infinity', '2026-01-02Z'),
    ('globex', 'standard', '2026-01-01Z', 'infinity', '2026-01-01Z');
INSERT INTO metered_billing_periods (team_id, subscription_id, period_start, period_end, currency, computed_at)
VALUES ('acme', 3, '2026-03-01Z', '2026-04-01Z', 'USD', now());
"""


@pytest.fixture
def connection(server_url):
    with temporary_database(server_url) as url, psycopg.connect(url) as connection:
        yield connection


def run(connection, name):
    script = files("tallystick.storage.migrations").joinpath("versions", name).read_text(encoding="utf-8")
    connection.execute(SQL(script))


def test_subscriptions_that_overlap_end_where_the_next_one_begins(connection):
    for name in BEFORE:
        run(connection, name)
    connection.execute(HELD)

    run(connection, "0004_subscription_terms.sql")

    found = connection.execute(
        "SELECT id, team_id, starts_at::date::text, ends_at::date::text, anchored_at = starts_at, trial_ends_at, "
        "recorded_at = created_at FROM subscriptions ORDER BY id"
    ).fetchall()
    assert found == [
        (1, "acme", "2026-01-01", "2026-02-01", True, None, True),
        (2, "acme", "2026-02-01", "2026-03-01", True, None, True),
        (4, "acme", "2026-03-01", "infinity", True, None, True),
        (5, "globex", "2026-01-01", "infinity", True, None, True),
    ]
