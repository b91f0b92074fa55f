"""Runs the fake as a process: `python -m tallystick.integrations.stripe.fake --port 12111 --runs`."""

import argparse
import signal
from datetime import UTC, datetime

from tallystick.integrations.stripe.fake.account import BEGINNING, Setting
from tallystick.integrations.stripe.fake.server import running


def main() -> None:
    """Serve until a signal says stop. The first line of output is where."""
    parser = argparse.ArgumentParser(prog="python -m tallystick.integrations.stripe.fake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--at", type=_instant, help=f"where its clock begins, else {BEGINNING:%Y-%m-%d}")
    parser.add_argument("--runs", action="store_true", help="let the clock go on by itself, and begin now without --at")
    parser.add_argument("--seed", type=int, default=0, help="of all chance")
    asked = parser.parse_args()
    at = asked.at or (datetime.now(UTC) if asked.runs else BEGINNING)
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before there are threads, which then block them, too
    with running(Setting(at=at, runs=asked.runs, seed=asked.seed), port=asked.port) as fake:
        print(fake.url, flush=True)  # noqa: T201 - its one line of output
        signal.sigwait(stop)


def _instant(text: str) -> datetime:
    """An instant; without a zone it is of UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
