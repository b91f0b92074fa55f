"""Make .venv hold what is locked, and the project itself: `environment.py run | dev | lock [--upgrade]`.

`run` installs requirements.lock, `dev` the larger requirements-dev.lock, and both the project in editable
form. Nothing is done, and no network is touched, while the digests kept in `.venv/installed.json` still hold.
Whatever interrupts an install, the next run finishes it. `lock` rewrites both locks from pyproject.toml.

Needs nothing but the standard library and a pip somewhere: inside .venv, or beside the Python it is made from
where that comes without ensurepip (Debian without python3-venv).
"""

import contextlib
import csv
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
STATE = VENV / "installed.json"
RUN_LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"
UV = "uv==0.13.9"  # one version, so that everybody who rewrites the locks writes the same text

COMPILE = [
    *("pip", "compile", "pyproject.toml", "--python", ".venv/bin/python", "--no-config", "--quiet"),
    *("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"),
]

# The Python this runs on may be .venv's own; a new .venv is always made by the one below it.
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))


def main(task: str, *options: str) -> None:
    """Do what the command line asks, alone in this folder."""
    with one_at_a_time():
        if not usable():
            create()
        if task == "lock":
            relock(*options)
        else:
            install_locked(DEV_LOCK if task == "dev" else RUN_LOCK)
            install_project()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep a second `make` in the same folder waiting until the first has installed."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network file system without locks: go on as if alone
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def usable() -> bool:
    """Say whether .venv runs, on the Python asked for, in the folder it was made in (its scripts name it)."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    probe = [str(VENV_PYTHON), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        runs = subprocess.run(probe, capture_output=True, text=True, check=True).stdout.strip() == version
    except (OSError, subprocess.CalledProcessError):
        return False
    return runs and site_packages().is_dir() and load().get("home", str(ROOT)) == str(ROOT)


def create() -> None:
    """Make .venv anew, without a pip of its own where Python can't give it one.

    Raises:
        SystemExit: this Python can't make a virtual environment at all.
    """
    say(f"Creating .venv with Python {sys.version.split()[0]} ({BASE_PYTHON})")
    command = [BASE_PYTHON, "-I", "-m", "venv", "--clear"]
    if quietly(*command, str(VENV)) is not None:
        problem = quietly(*command, "--without-pip", str(VENV))
        if problem is not None:
            sys.exit(f"{BASE_PYTHON} can't make a virtual environment: {problem}")


def install_locked(lock: str) -> None:
    """Install exactly what a lock names, every file checked against its hash."""
    digest = hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()
    state = load()
    if state.get(lock) == digest:
        return
    save({"home": str(ROOT)})
    discard_half_installed()
    say("Installing locked dependencies" + (" for development" if lock == DEV_LOCK else ""))
    pip("install", "-qq", "--require-hashes", "--requirement", lock)
    state = {"home": str(ROOT), lock: digest}
    if lock == DEV_LOCK:  # holds all of the other, at the same versions
        state[RUN_LOCK] = hashlib.sha256((ROOT / RUN_LOCK).read_bytes()).hexdigest()
    save(state)


def install_project() -> None:
    """Install the project in editable form, again only when what its metadata is made from has changed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    metadata = [declared["project"], declared["build-system"], declared["tool"]["hatch"]]
    version = (ROOT / "src" / "tallystick" / "__init__.py").read_text()
    digest = hashlib.sha256(json.dumps([metadata, version]).encode()).hexdigest()
    state = load()
    if state.get("project") == digest:
        return
    say("Installing Tallystick itself")
    pip("install", "-qq", "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    save({**state, "project": digest})


def relock(*options: str) -> None:
    """Rewrite both locks; pins that still fit stay, unless `--upgrade` is among the options."""
    say("Locking")
    # Only the public registry's answer is right for everybody, whatever this machine is set up to ask.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    with tempfile.TemporaryDirectory() as folder:
        pip("install", "-qq", "--target", folder, UV)

        def compile_lock(lock: str, *more: str) -> None:
            command = [f"{folder}/bin/uv", *COMPILE, *more, "--output-file", lock]
            subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True)

        compile_lock(DEV_LOCK, "--group", "build", "--group", "dev", *options)
        shutil.copyfile(ROOT / DEV_LOCK, ROOT / RUN_LOCK)  # existing pins are kept: the same versions in both
        compile_lock(RUN_LOCK, "--group", "build")


def discard_half_installed() -> None:
    """Remove the records of packages that an interrupted install left incomplete: pip installs them again.

    pip takes a package for installed as soon as its metadata folder exists, before the list of its files.
    """
    for leftover in site_packages().glob("~*"):
        shutil.rmtree(leftover)
    for metadata in site_packages().glob("*.dist-info"):
        if not complete(metadata / "RECORD"):
            shutil.rmtree(metadata)


def complete(record: Path) -> bool:
    """Say whether every file that a package's RECORD lists is there and not cut short.

    A longer file was edited by somebody (a company's certificates added to certifi's), and stays.
    """
    if not record.is_file():
        return False
    with record.open(newline="") as rows:
        sizes = {record.parent.parent / path: size for path, _, size in csv.reader(rows) if size}
    return all(path.is_file() and path.stat().st_size >= int(size) for path, size in sizes.items())


def pip(*arguments: str) -> None:
    """Run pip on .venv.

    Raises:
        SystemExit: there is no pip, or it failed (and has said why).
    """
    hidden = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}  # would install elsewhere
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"PIP_USER": "0", "PIP_REQUIRE_HASHES": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run([*find_pip(), *arguments], cwd=ROOT, env=environment, check=False)
    if done.returncode:
        sys.exit("The installation failed; pip says why above. The same command goes on from here.")


def find_pip() -> list[str]:
    """Return the command for a pip that works on .venv: its own, else one from outside pointed at it."""
    own = [str(VENV_PYTHON), "-m", "pip"]
    if quietly(*own, "--version") is None:
        return own
    for outside in ([BASE_PYTHON, "-m", "pip"], ["pip3"], ["pip"]):
        pointed = [*outside, "--python", str(VENV_PYTHON)]
        if quietly(*pointed, "--version") is None:
            return pointed
    sys.exit(f"{BASE_PYTHON} has no pip 22.3 or newer: install one (Debian, Ubuntu: apt install python3-pip)")


def quietly(*command: str) -> str | None:
    """Run a command and return None, or the last thing it said when it failed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    said = (done.stdout + done.stderr).strip().splitlines() or [f"exit {done.returncode}"]
    return said[-1] if done.returncode else None


def site_packages() -> Path:
    """Return the folder of .venv that holds installed packages."""
    return VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def load() -> dict[str, str]:
    """Return what .venv is known to hold; nothing is known of a half-written or older file."""
    try:
        return dict(json.loads(STATE.read_text()))
    except (OSError, ValueError):
        return {}


def save(state: dict[str, str]) -> None:
    """Write down what .venv holds, so that the file is whole or absent."""
    draft = STATE.with_suffix(".new")
    draft.write_text(json.dumps(state, indent=2))
    draft.replace(STATE)


def say(step: str) -> None:
    """Print one line per step, at once."""
    print(f"{step} ...", flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except PermissionError as error:
        sys.exit(f"{error.filename} is not yours to write: was .venv made by another user? Remove it")
