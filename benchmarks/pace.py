"""Whether the roll-up keeps pace: live events as fast as they are taken, for minutes, and how far it is behind.

The size is in seconds. The floor of being behind is a roll-up that takes no time: then the oldest batch is between
0 and one pause old.
"""

from pathlib import Path

from benchmarks.installation import Installation
from benchmarks.load import Load, run
from benchmarks.results import Figure, Result, number, percentile
from benchmarks.volume import ROLLUP_PAUSE
from benchmarks.watching import resident, watching

BATCH = 500
CONNECTIONS = 8
MOST_PER_SECOND = 200_000
"""More than any machine takes: what ends the load is its time."""


def measure(seconds: int, folder: Path) -> Result:
    """Send live events in requests of 500 for so many seconds."""
    with Installation.fresh(folder) as installation, installation.sql() as sql, installation.serving() as server:
        installation.settle(sql)
        load = Load(server.address, seconds * MOST_PER_SECOND, BATCH, CONNECTIONS, None, 1, seconds)
        with watching(installation, server) as watched:
            loaded = run(load)
        settled = installation.settle(sql)
        memory = resident(server)
    setting = f"{loaded.events:,} live events, {number(loaded.per_second)} a second for {loaded.seconds:,.0f} s."
    behind = [
        Figure(
            f"roll-up behind, p{percent}",
            "s",
            [(percentile(watched.behind, percent), ROLLUP_PAUSE * percent / 100)],
            "if it took no time",
        )
        for percent in (50, 99)
    ]
    remarks = [
        f"Everything was rolled up {settled:.1f} s after the last answer.",
        f"The server's process held {max(*watched.resident, memory) / 2**20:.0f} MiB at most.",
    ]
    return Result("pace", setting, behind, remarks)
