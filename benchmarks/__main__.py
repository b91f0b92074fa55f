"""`python -m benchmarks`: runs them, prints what they found, and puts it into docs/benchmarks.md."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import (
    alerts,
    client_overhead,
    closing,
    depth,
    document,
    enforcement,
    ingest,
    live,
    machine,
    pace,
    rating,
    rollup,
    stripe,
    usage_many,
    volume,
)
from benchmarks.installation import Broken
from benchmarks.load import WrongAnswer
from benchmarks.results import Result, as_text
from tallystick.core.errors import TallystickError

FULL = (("volume", 10_000_000), ("pace", 600), ("depth", 50_000_000))
"""What takes an hour, and some 30 GB of disk."""


class Benchmark(NamedTuple):
    """What measures, and the size that docs/benchmarks.md shows."""

    measure: Callable[[int, Path], Result]
    size: int


BENCHMARKS = {
    "ingest": Benchmark(ingest.measure, 100_000),
    "pace": Benchmark(pace.measure, 120),
    "volume": Benchmark(volume.measure, 1_000_000),
    "rollup": Benchmark(rollup.measure, 200_000),
    "alerts": Benchmark(alerts.measure, 300),
    "live": Benchmark(live.measure, 500),
    "rating": Benchmark(lambda size, _: rating.measure(size), 1_000_000),
    "usage": Benchmark(usage_many.measure, 10_000),
    "closing": Benchmark(closing.measure, 10_000),
    "client_overhead": Benchmark(client_overhead.measure, 27_000),
    "enforcement": Benchmark(enforcement.measure, 20_000),
    "stripe": Benchmark(stripe.measure, 200_000),
    "depth": Benchmark(depth.measure, 5_000_000),
}


def main() -> int:
    """Run what the command line asks for; the exit code."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # leaves every block on the way
    try:
        for name, size in _runs(asked.names, asked.events, full=asked.full):
            _run(name, size, asked.folder, keep=asked.events is None)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except (Broken, WrongAnswer, TallystickError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Tallystick on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--events", type=int, help="another size; the results are printed, but not kept")
    parser.add_argument(
        "--full", action="store_true", help="also ten million events, ten minutes, and 50 million stored"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("/var/tmp" if Path("/var/tmp").is_dir() else tempfile.gettempdir()),  # noqa: S108
        help="where the data folders are made, and removed again; on a disk, not in memory",
    )
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return asked


def _runs(names: Sequence[str], events: int | None, *, full: bool) -> list[tuple[str, int]]:
    runs = [(name, events or BENCHMARKS[name].size) for name in names or BENCHMARKS]
    return [*runs, *FULL] if full else runs


def _run(name: str, size: int, folder: Path, *, keep: bool) -> None:
    busy = machine.busy()
    print(f"\n== {name} {size:,} (other programs keep the machine {busy} busy)\n", flush=True)
    began = time.monotonic()
    result = BENCHMARKS[name].measure(size, folder)
    print(as_text(result), f"\n\n{time.monotonic() - began:.0f} s", flush=True)
    if keep:
        document.put(result, f"{machine.described()}. Other programs kept it {busy} busy just before.")


if __name__ == "__main__":
    sys.exit(main())
