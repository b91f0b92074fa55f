"""The machine that a benchmark ran on, in one sentence."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import psutil


def described(postgres: str) -> str:
    """Processor, cores, memory, versions and date.

    Args:
        postgres: the version of the PostgreSQL that was used.
    """
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, PostgreSQL {postgres}; {datetime.now(UTC):%Y-%m-%d}"
    )


def busy() -> str:
    """How busy other programs keep the machine right now; call it before a benchmark begins."""
    return f"{psutil.cpu_percent(interval=1.0):.0f} %"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
