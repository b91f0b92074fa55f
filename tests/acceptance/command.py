"""`tallystick` as a process of its own, as it would be run from a terminal."""

import os
import subprocess
import sys
from pathlib import Path

PATIENCE = 120


class Command:
    """Runs `tallystick` on one database."""

    def __init__(self, database_url: str, folder: Path) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
        self.environment = {**inherited, "DATABASE_URL": database_url}
        self.folder = folder

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tallystick", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run it; its output, which is what it said on standard error where it is to fail."""
        process = self.start(*arguments)
        out, error = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, error
        assert "Traceback" not in error
        return error if code else out
