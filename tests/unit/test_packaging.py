"""The dashboard is built once, ships in the wheel, and is not missed where it can't be built."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import web

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small copy of the project, with a dashboard that has been built."""
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "package.json", "package-lock.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    package = tmp_path / "src" / "tallystick"
    (package / "web" / "assets" / "assets").mkdir(parents=True)
    shutil.copy(ROOT / "src" / "tallystick" / "__init__.py", package)
    (package / "web" / "__init__.py").write_text('"""The dashboard."""\n')
    (package / "web" / "assets" / "index.html").write_text("<!doctype html>")
    (package / "web" / "assets" / "assets" / "app-B2c.js").write_text("1")
    for folder in web.SOURCES:
        (tmp_path / folder / "src").mkdir(parents=True)
        (tmp_path / folder / "src" / "main.ts").write_text("export {}")
    monkeypatch.setattr(web, "ROOT", tmp_path)
    monkeypatch.setattr(web, "LOCK", tmp_path / "package-lock.json")
    monkeypatch.setattr(web, "INSTALLED", tmp_path / "node_modules" / ".package-lock.json")
    monkeypatch.setattr(web, "ASSETS", package / "web" / "assets")
    monkeypatch.setattr(web, "BUILT", package / "web" / "assets" / ".built")
    return tmp_path


def test_the_wheel_has_the_dashboard_although_the_repository_does_not(clone: Path, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=clone, check=True,
                   capture_output=True)  # fmt: skip
    [wheel] = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "tallystick/web/assets/index.html" in names
    assert "tallystick/web/assets/assets/app-B2c.js" in names
    assert "src/tallystick/web/assets/" in (ROOT / ".gitignore").read_text()


def test_what_is_built_is_not_built_again_until_a_source_changes(clone: Path) -> None:
    web.BUILT.write_text(web.digest())
    assert web.is_built(web.digest())
    web.main()  # no node is looked for
    for change in (clone / "web" / "src" / "main.ts", clone / "package-lock.json"):
        before = change.read_text()
        change.write_text(before + " ")
        assert not web.is_built(web.digest())
        change.write_text(before)
    (clone / "web" / "node_modules").mkdir()
    (clone / "web" / "node_modules" / "x.ts").write_text("export {}")
    assert web.is_built(web.digest()), "what is installed is no source"


def test_without_node_and_network_everything_else_goes_on_and_ci_does_not(clone, monkeypatch, capsys) -> None:
    def no_network(*_: str) -> None:
        raise SystemExit("no network")

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(web, "NODE_FOLDER", clone / "none")
    monkeypatch.setattr("tools.web.shutil.which", lambda *_, **__: None)
    monkeypatch.setattr(web, "pip", no_network)
    web.main("--if-possible")
    assert "Everything else works" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="network"):
        web.main()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="network"):
        web.main("--if-possible")


@pytest.mark.parametrize(
    ("said", "enough"), [("v20.18.9", False), ("v20.19.0", True), ("v24.1.0", True), ("hello", False)]
)
def test_a_node_that_is_too_old_is_not_used(tmp_path: Path, said: str, enough: bool) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)
    assert web.is_new_enough(str(node)) is enough
    assert not web.is_new_enough(str(tmp_path / "no-node"))


def test_the_lock_names_no_host(tmp_path: Path) -> None:
    assert '"resolved": "http' not in (ROOT / "package-lock.json").read_text()
