"""Limits, reservations and throttles.

Revision ID: 0014
"""

from tallystick.storage.migrations import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it stands."""
    run_sql("0014_enforcement.sql")


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Tallystick migrations only go forward; restore a backup to go back")
