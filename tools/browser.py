"""Bring a Chromium for the browser tests where none is: `python -m tools.browser`.

Only where that is one command that this user may run: on Debian and its like, as root. Elsewhere the tests that need
it say what to install, and are skipped; with CI=true they fail.
"""

import os
import shutil
import subprocess

from tools.environment import say

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-dejavu-core")


def main() -> None:
    """Install it if it is missing and may be installed; a failure is left to the tests to tell."""
    apt_get = shutil.which("apt-get")
    if any(shutil.which(name) for name in NAMES) or apt_get is None or os.geteuid() != 0:
        return
    say("Installing Chromium for the browser tests")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *PACKAGES]):
        subprocess.run([apt_get, *command], env=quiet, stdout=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    main()
