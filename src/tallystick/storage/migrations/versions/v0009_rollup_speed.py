"""Roll-ups with less work, and word of the teams that they touched.

Revision ID: 0009
"""

from tallystick.storage.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it stands."""
    run_sql("0009_rollup_speed.sql")


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Tallystick migrations only go forward; restore a backup to go back")
