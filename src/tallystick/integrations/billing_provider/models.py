"""What a billing provider is. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

NOTHING: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation did.

    Attributes:
        counts: how many of what, by words that a provider chooses: `bills planned`, `usage accepted`.
        problems: what somebody has to look at, one line each. Nothing is lost by them; all of it is tried again.
    """

    counts: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    problems: tuple[str, ...] = ()

    def __add__(self, other: "Synced") -> "Synced":
        names = dict.fromkeys((*self.counts, *other.counts))
        counts = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
        return Synced(counts, self.problems + other.problems)


class BillingProvider(Protocol):
    """Tells somebody who collects money what teams owe or use, and learns what became of it.

    The ledger here is the truth and the provider's a copy of it, which converges however often and by however many
    processes these are called, and wherever one of them is killed.
    """

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def sync(self, teams: Sequence[str] | None = None) -> Synced:
        """Do everything that can be done now.

        Args:
            teams: look at these alone; None: at all of them.
        """
        ...

    async def tend(self) -> bool:
        """One short round of what is due: what waits to be sent, and what the provider has told. For a loop.

        Returns:
            Whether there is more to do right now.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...
