"""Runs the fake as a process: `python -m tallystick.integrations.stripe.fake --port 12111`."""

import argparse
import signal
from datetime import datetime

from tallystick.integrations.stripe.fake.account import BEGINNING, Setting
from tallystick.integrations.stripe.fake.server import running


def main() -> None:
    """Serve until a signal says stop. The first line of output is where."""
    parser = argparse.ArgumentParser(prog="python -m tallystick.integrations.stripe.fake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--at", type=datetime.fromisoformat, default=BEGINNING, help="where its clock begins")
    parser.add_argument("--runs", action="store_true", help="let the clock go on by itself")
    parser.add_argument("--seed", type=int, default=0, help="of all chance")
    asked = parser.parse_args()
    stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)  # before there are threads, which then block them, too
    with running(Setting(at=asked.at, runs=asked.runs, seed=asked.seed), port=asked.port) as fake:
        print(fake.url, flush=True)  # noqa: T201 - its one line of output
        signal.sigwait(stop)


if __name__ == "__main__":
    main()
