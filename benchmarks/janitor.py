"""Clears up after a benchmark that was killed: `python -m benchmarks.janitor FOLDER`.

It waits for the end of its standard input, which comes when the benchmark ends, however it ends. What the
benchmark has then not cleared up itself, the janitor does: its server, its PostgreSQL and its folder.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tallystick.storage.datafolder import Layout, lock, open_lock

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60
PID = "tallystick.pid"


@contextmanager
def clearing_up(folder: Path) -> Iterator[None]:
    """See to it that nothing is left of the folder after the block, or after the end of this process."""
    command = [sys.executable, "-m", "benchmarks.janitor", str(folder)]
    janitor = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        janitor.communicate()


def note(folder: Path, pid: int) -> None:
    """Remember a process that works on the folder; of those noted, the last one may run."""
    (folder / PID).write_text(str(pid))


def _end_process(folder: Path) -> None:
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int((folder / PID).read_text()))
        if "tallystick" not in process.cmdline():
            return
        process.terminate()
        try:
            process.wait(PATIENCE)
        except psutil.TimeoutExpired:
            process.kill()


def _wait_for_end_of_postgres(data: Path) -> None:
    """Its users are gone; its keeper holds this lock until it has stopped."""
    keeper = open_lock(Layout(data.resolve()).keeper_lock)
    try:
        lock(keeper)
    finally:
        os.close(keeper)


def main() -> None:
    """Wait, then clear up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    folder = Path(sys.argv[1])
    sys.stdin.buffer.read()
    if folder.exists():
        _end_process(folder)
        with suppress(OSError):
            _wait_for_end_of_postgres(folder / "data")
    until = time.monotonic() + PATIENCE
    while folder.exists() and time.monotonic() < until:  # initdb of a killed process may be at work still
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
