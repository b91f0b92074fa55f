"""What holds for the project as a whole: its locks, its version, its files, and how it computes money."""

import ast
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import tallystick

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tallystick"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-dev.lock")

EXACT_PACKAGES = ("core", "metering", "pricing", "billing")
MAY_USE_FLOAT = {
    "core/settings.py": "how many seconds a loop waits is neither a quantity nor money",
}


# --- Locks ----------------------------------------------------------------------------------------


def locked(lock: str) -> dict[str, tuple[Version, list[str]]]:
    """The version and the hashes of every package that a lock names."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    entries = [line.split(" --hash=") for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    return {
        canonicalize_name(requirement.name): (pinned(requirement), hashes)
        for requirement, hashes in ((Requirement(first), rest) for first, *rest in entries)
    }


def pinned(requirement: Requirement) -> Version:
    [specifier] = requirement.specifier
    assert specifier.operator == "==", f"{requirement} is not pinned"
    return Version(specifier.version)


def declared(*groups: str) -> list[Requirement]:
    texts = [*PYPROJECT["project"]["dependencies"]]
    for group in groups:
        texts += PYPROJECT["dependency-groups"][group]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str):
    packages = locked(lock)
    assert packages
    for name, (_, hashes) in packages.items():
        assert hashes, f"{name} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}\s*", digest) for digest in hashes), name


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_host(lock: str):
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|file:| @ |^\s*-(?!-hash=)|\b(index|find-links|trusted-host)\b", text, re.MULTILINE)


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ["build"]), (LOCKS[1], ["build", "dev"])])
def test_lock_satisfies_pyproject(lock: str, groups: list[str]):
    packages = locked(lock)
    for requirement in declared(*groups):
        name = canonicalize_name(requirement.name)
        assert name in packages, f"{lock} lacks {requirement}: run make lock"
        assert packages[name][0] in requirement.specifier, f"{lock} is older than pyproject.toml: run make lock"


def test_lock_holds_what_builds_the_project():
    packages = locked("requirements.lock")
    for requirement in map(Requirement, PYPROJECT["build-system"]["requires"]):
        assert packages[canonicalize_name(requirement.name)][0] in requirement.specifier


def test_development_lock_holds_the_other_at_the_same_versions():
    run, development = (locked(lock) for lock in LOCKS)
    assert {name: development.get(name) for name in run} == run


# --- The project's files --------------------------------------------------------------------------


def test_version_has_one_source():
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert PYPROJECT["tool"]["hatch"]["version"]["path"] == "src/tallystick/__init__.py"
    assert version("tallystick") == tallystick.__version__


def files_in_git() -> list[Path]:
    """Every file that is, or is about to be, part of the repository."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    # Without safe.directory, git refuses to list a checkout that belongs to another user.
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_folder_of_somebodys_machine():
    personal = re.compile(r"(?<![\w.:/-])/(?:work|root|home/\w+|Users/\w+)/")
    naming = {
        str(path.relative_to(ROOT)): found.group()
        for path in files_in_git()
        if (found := personal.search(path.read_bytes().decode(errors="replace")))
    }
    assert naming == {}


# --- Exactness ------------------------------------------------------------------------------------


def exact_files() -> list[str]:
    return sorted(
        str(path.relative_to(SOURCE)) for package in EXACT_PACKAGES for path in (SOURCE / package).rglob("*.py")
    )


def floats(tree: ast.AST) -> Iterator[str]:
    """Where a module writes a float, names the type, or reads JSON numbers as floats."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"line {node.lineno}: the literal {node.value!r}"
            case ast.Name(id="float"):
                yield f"line {node.lineno}: the type float"
            case ast.Attribute(attr="from_float"):
                yield f"line {node.lineno}: from_float"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="json"), attr="load" | "loads"), keywords=given):
                if "parse_float" not in {keyword.arg for keyword in given}:
                    yield f"line {node.lineno}: json without parse_float"


def naive_clocks(tree: ast.AST) -> Iterator[str]:
    """Where a module asks for the time of a place it doesn't name."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="utcnow" | "utcfromtimestamp" | "today"):
                yield f"line {node.lineno}: {node.attr}"
            case ast.Call(func=ast.Attribute(attr="now", value=owner), args=[], keywords=[]):
                if ast.unparse(owner).split(".")[-1] == "datetime":
                    yield f"line {node.lineno}: datetime.now()"
            case ast.Call(func=ast.Attribute(attr="fromtimestamp"), args=[_], keywords=[]):
                yield f"line {node.lineno}: fromtimestamp without a zone"


def parsed(file: str) -> ast.Module:
    return ast.parse((SOURCE / file).read_text(), filename=file)


def test_the_exact_packages_are_where_this_looks():
    assert {file.split("/")[0] for file in exact_files()} == set(EXACT_PACKAGES)


def test_no_float_comes_near_a_quantity_or_money():
    found = {file: list(floats(parsed(file))) for file in exact_files()}
    assert {file: lines for file, lines in found.items() if lines and file not in MAY_USE_FLOAT} == {}
    assert all(found[file] for file in MAY_USE_FLOAT), "an exception is no longer needed"


def test_no_time_without_a_zone():
    found = {file: list(naive_clocks(parsed(file))) for file in exact_files()}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        "rate = 0.5",
        "rate: float",
        "Decimal.from_float(x)",
        "float(x)",
        "json.loads(text)",
        "def f(x: int | float): ...",
    ],
)
def test_the_float_check_sees(code: str):
    assert list(floats(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now()",
        "datetime.datetime.now()",
        "datetime.utcnow()",
        "date.today()",
        "datetime.fromtimestamp(0)",
    ],
)
def test_the_clock_check_sees(code: str):
    assert list(naive_clocks(ast.parse(code)))


@pytest.mark.parametrize("code", ["clock.now()", "datetime.now(UTC)", "datetime.fromtimestamp(0, tz=UTC)"])
def test_the_clock_check_allows(code: str):
    assert not list(naive_clocks(ast.parse(code)))
