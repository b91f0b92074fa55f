"""The types of the React package are made from the API's own document, and its code fits them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tallystick.api import document

PACKAGE = Path(__file__).resolve().parents[2] / "clients" / "react"
GENERATOR = PACKAGE.parents[1] / "node_modules" / "openapi-typescript"


def test_the_types_of_the_react_package_are_those_of_the_api():
    node = shutil.which("node")
    if node is None or not GENERATOR.is_dir():
        pytest.skip("Node or the packages of package.json are not installed (npm ci)")
    made = subprocess.run(
        [node, "types.mjs", "--print"], cwd=PACKAGE, input=document.text(), capture_output=True, text=True, check=True
    )
    assert made.stdout == (PACKAGE / "src/api/schema.d.ts").read_text(encoding="utf-8"), "run: npm run types"


@pytest.mark.parametrize("script", ["check", "test"])
def test_the_web_code_is_typed_and_keeps_its_own_tests(script: str):
    npm = shutil.which("npm")
    if npm is None or not GENERATOR.is_dir():
        pytest.skip("Node or the packages of package.json are not installed (npm ci)")
    run = subprocess.run(
        [npm, "run", script], cwd=PACKAGE.parents[1], capture_output=True, text=True, check=False, timeout=280
    )
    assert run.returncode == 0, run.stdout + run.stderr
