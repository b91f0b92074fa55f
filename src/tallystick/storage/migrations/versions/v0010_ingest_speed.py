"""Events are appended with less work.

Revision ID: 0010
"""

from tallystick.storage.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it stands."""
    run_sql("0010_ingest_speed.sql")


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Tallystick migrations only go forward; restore a backup to go back")
