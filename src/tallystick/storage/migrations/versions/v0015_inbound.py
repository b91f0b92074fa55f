"""Usage from webhooks of other systems.

Revision ID: 0015
"""

from tallystick.storage.migrations import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it stands."""
    run_sql("0015_inbound.sql")


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Tallystick migrations only go forward; restore a backup to go back")
