"""Documentation is a contract: the reference is what the code says, links lead somewhere, examples are right."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from tallystick.catalog.loading import parse
from tallystick.cli.app import app
from tallystick.cli.reference import pages, variable_of
from tallystick.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (?P<words>.+)$", re.MULTILINE)
YAML_BLOCK = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
HERE_DOCUMENT = re.compile(r"^cat > \S+\.yaml <<'END'\n(?P<text>.*?)^END$", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- The generated reference ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cli.md", "configuration.md"])
def test_the_reference_is_what_the_code_says(name):
    committed = (REFERENCE / name).read_text(encoding="utf-8")
    assert committed == pages()[name], "run make docs-reference"


def test_the_reference_depends_on_no_machine_or_user(monkeypatch, tmp_path):
    before = pages()
    for name, value in {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TALLYSTICK_PORT", "1234")
    assert pages() == before


def commands(group: TyperGroup, path: str) -> Iterator[tuple[str, list[str]]]:
    """Every command with the long names of its options."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{path} {name}")
        else:
            parameters = command.get_params(Context(command, info_name=name))
            yield f"{path} {name}", [option for each in parameters for option in each.opts if option[:2] == "--"]


def test_every_command_and_option_is_in_the_reference():
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    sections = dict(re.findall(r"^## (\S.*?)\n(.*?)(?=^## |\Z)", pages()["cli.md"], re.MULTILINE | re.DOTALL))
    found = list(commands(root, "tallystick"))
    assert len(found) > 10
    for command, options in found:
        missing = [each for each in options if each != "--help" and f"`{each}" not in sections[command]]
        assert missing == [], command


def test_every_setting_is_in_the_reference():
    page = pages()["configuration.md"]
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"| `{variable_of(name, field)}` |" in page
        assert " ".join(field.description.split()) in page


# --- The API reference ----------------------------------------------------------------------------


def codes_of_rejections() -> set[str]:
    """Every reason for which ingestion rejects an event, as its source spells them."""
    trees = (ast.parse(file.read_text()) for file in (ROOT / "src/tallystick/metering").rglob("*.py"))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    reasons = (call.args[1] for call in calls if ast.unparse(call.func) == "Invalid" and len(call.args) > 1)
    return {reason.value for reason in reasons if isinstance(reason, ast.Constant) and isinstance(reason.value, str)}


def test_every_reason_for_a_rejection_is_in_the_api_reference():
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    codes = codes_of_rejections()
    assert {"unknown_team", "timestamp_in_future", "conflict"} <= codes
    assert [code for code in sorted(codes) if f"`{code}`" not in page] == []


# --- Links ----------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the page's headings."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", found["words"].lower()) for found in HEADING.finditer(text))
    return {words.replace(" ", "-") for words in plain}


def broken(page: Path) -> Iterator[str]:
    """The relative links of a page that lead nowhere."""
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    for found in LINK.finditer(text):
        target, _, anchor = found["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        there = file.exists() and file.is_relative_to(ROOT)
        if not there or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            yield found["target"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    assert list(broken(page)) == []


def test_every_page_is_reached_from_the_index():
    linked, waiting = set[Path](), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix != ".md" or page in linked:
            continue
        linked.add(page)
        targets = (found["target"].partition("#")[0] for found in LINK.finditer(page.read_text(encoding="utf-8")))
        waiting += [(page.parent / target).resolve() for target in targets if target and "://" not in target]
    assert {name_of(page) for page in DOCS.rglob("*.md")} <= {name_of(page) for page in linked}


# --- Billing files --------------------------------------------------------------------------------


def billing_files() -> Iterator[tuple[str, str]]:
    """Every whole billing file that the documentation shows."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = [match["text"] for pattern in (YAML_BLOCK, HERE_DOCUMENT) for match in pattern.finditer(text)]
        for number, source in enumerate(source for source in found if source.startswith("version:")):
            yield f"{name_of(page)}-{number}", source


@pytest.mark.parametrize(("name", "source"), list(billing_files()), ids=[name for name, _ in billing_files()])
def test_a_billing_file_is_valid(name, source):
    assert parse(source, name).metrics


def test_billing_files_are_found():
    assert {name.rpartition("-")[0] for name, _ in billing_files()} >= {"README.md", "docs/quickstart.md"}
