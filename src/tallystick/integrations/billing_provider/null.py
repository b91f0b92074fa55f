"""Nobody collects: statements and invoices are made here, and what becomes of them is said by hand."""

from collections.abc import Sequence

from tallystick.integrations.billing_provider.models import Synced


class NullProvider:
    """A provider that does nothing."""

    @property
    def name(self) -> str:
        """What people call it."""
        return "none"

    async def sync(self, teams: Sequence[str] | None = None) -> Synced:  # noqa: ARG002 - whoever they are
        """Do nothing."""
        return Synced()

    async def tend(self) -> bool:
        """Do nothing."""
        return False

    async def close(self) -> None:
        """Do nothing."""
