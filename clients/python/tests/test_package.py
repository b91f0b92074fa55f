"""The package as a whole: what it shows, what it needs, and on which Python it runs."""

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

import tallystick_client
from tallystick_client import errors

CLIENT = Path(__file__).parents[1]
SOURCE = CLIENT / "src"
FILES = sorted(SOURCE.rglob("*.py"))
PROJECT = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]
TYPES_ALONE = ("_typeshed", "typing_extensions")
"""Imported by type checkers, which have them."""
LIBRARIES = {
    "fastapi": ["starlette"],
    **{name: [name] for name in ("flask", "django", "celery", "rq", "procrastinate")},
}
"""What the module of a library imports."""


def test_what_is_public_is_there_and_has_a_docstring():
    assert tallystick_client.__all__ == sorted(tallystick_client.__all__)
    for name in tallystick_client.__all__:
        assert getattr(tallystick_client, name).__doc__, name


def test_every_error_is_one_of_ours_and_drawn_in_the_tree():
    found = [each for each in vars(errors).values() if isinstance(each, type)]
    assert all(issubclass(each, tallystick_client.TallystickClientError) for each in found)
    assert [each.__name__ for each in found if each.__name__ not in (errors.__doc__ or "")] == []
    assert {each.__name__ for each in found} <= set(tallystick_client.__all__)


def test_it_depends_on_httpx_alone():
    assert [re.match(r"[\w-]+", text)[0] for text in PROJECT["dependencies"]] == ["httpx"]  # type: ignore[index]
    for file in FILES:
        allowed = {"httpx", "tallystick_client", *TYPES_ALONE, *LIBRARIES.get(file.stem, ())}
        assert imported(file) - set(sys.stdlib_module_names) <= allowed, file


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_importing_it_loads_no_framework():
    code = "import sys, tallystick_client, tallystick_client.middleware as m; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert not {library for libraries in LIBRARIES.values() for library in libraries} & set(loaded)
    assert not {"tallystick", *TYPES_ALONE} & set(loaded)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_its_syntax_is_that_of_the_oldest_python(file: Path):
    assert PROJECT["requires-python"] == ">=3.9"
    tree = ast.parse(file.read_text(), feature_version=(3, 9))
    newer = {"slots", "kw_only", "strict"}  # arguments of dataclass() and zip() that came later
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg in newer]
    if "|" in file.read_text():
        assert "from __future__ import annotations" in file.read_text(), "X | Y is no type before Python 3.10"


def test_the_wheel_holds_the_code_its_types_and_its_licence(tmp_path: Path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=CLIENT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name == f"tallystick_client-{tallystick_client.__version__}-py3-none-any.whl"
    assert "tallystick_client/py.typed" in names
    assert any(name.endswith("LICENSE") for name in names)
    assert {name for name in names if name.endswith(".py")} == {str(file.relative_to(SOURCE)) for file in FILES}
