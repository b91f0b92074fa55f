"""Usage leaves for Stripe's meters through an outbox.

Revision ID: 0017
"""

from tallystick.storage.migrations import run_sql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it stands."""
    run_sql("0017_stripe_meters.sql")


def downgrade() -> None:
    """There is no way back: restore a backup instead."""
    raise NotImplementedError("Tallystick migrations only go forward; restore a backup to go back")
