"""Every recipe from the command line, as its page says: applied, its sample imported, reported, closed, invoiced."""

import json
import re
import shlex
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from tallystick.catalog.loading import parse
from tallystick.catalog.recipes import BILLING_FILE, README, SAMPLE, TITLES, recipe
from tallystick.cli.app import main
from tallystick.importing.analysis import analyze

ROW = re.compile(r"^\| ([\w-]+) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)


class Bill(NamedTuple):
    """A line of a bill as a recipe's page shows it."""

    team: str
    line: str
    usage: str
    amount: str


def bills_of(page: str) -> list[Bill]:
    return [Bill(*found.groups()) for found in ROW.finditer(page)]


@pytest.fixture
def run(database_url, monkeypatch, capsys, tmp_path):
    """Runs the command line in a folder and on a database of its own; gives what it printed."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> str:
        code = main(arguments)
        shown = capsys.readouterr()
        assert code == 0, shown.err
        return str(shown.out)

    return command


@pytest.mark.parametrize("name", TITLES)
def test_a_recipe_s_page_leads_from_init_to_an_invoice(run, database_url, name):
    run("init", "--recipe", name)
    page = Path(README).read_text()
    expected = bills_of(page)
    assert expected

    shown = {command[0]: run(*command) for command in commands_of(page)}

    events = len(Path(SAMPLE).read_text().splitlines())
    assert "is valid" in shown["validate"]
    assert shown["import"] == f"{events} events imported, 0 were there already\n"
    assert run("import", SAMPLE) == f"0 events imported, {events} were there already\n"
    assert "occurred" in shown["explain"]
    bills = closed(database_url)
    assert set(expected) <= set(bills)
    assert [bill for bill in bills if bill not in expected and bill.amount != "0.00"] == []  # the page leaves out none
    assert "the raw events give the same" in run("verify", "1")
    invoiced(run, bills)


@pytest.mark.parametrize("name", TITLES)
def test_the_report_of_a_recipe_s_sample_says_what_the_bill_says(run, name):
    run("init", "--recipe", name)
    run("apply")
    run("import", SAMPLE)

    report = json.loads(run("report", "--team", "acme", "--period", "2026-03", "--format", "json"))

    expected = bills_of(Path(README).read_text())
    assert reported(report) == {(bill.line, bill.amount) for bill in expected if bill.team == "acme"}


def commands_of(page: str) -> list[list[str]]:
    """The commands that a recipe's page shows first, without `tallystick`."""
    block = page.partition("```sh\n")[2].partition("```")[0]
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


def invoiced(run, bills: list[Bill]) -> None:
    """Every team got an invoice over what its bill comes to, and one is there as a document."""
    invoices = [json.loads(line) for line in run("invoices", "list", "--json").splitlines()]
    assert {each["number"][-5:] for each in invoices} == {f"{n:05}" for n in range(1, len(invoices) + 1)}
    due = {each["team_id"]: Decimal(each["due"]) for each in invoices}
    assert due == {team: sum(Decimal(bill.amount) for bill in bills if bill.team == team) for team in due}
    assert due.keys() == {bill.team for bill in bills}
    [document] = Path().glob("*.pdf")
    assert document.read_bytes().startswith(b"%PDF-")


def reported(report: dict) -> set[tuple[str, str]]:
    """What the report says that each metric and fee costs."""
    metrics = set[tuple[str, str]]()
    for each in report["metrics"]:
        assert each["current_period"]["unvalued"] == 0
        if cost := each["current_period"]["cost"]:
            metrics.add((each["metric"], cost["total"]))
    return metrics | {(each["name"], each["total"]) for each in report["others"]}


def closed(database_url: str) -> list[Bill]:
    """The lines of closed statements of March."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT p.team_id, l.name, l.quantity, l.total FROM statement_lines l "
            "JOIN metered_billing_periods p ON p.id = l.period_id ORDER BY p.team_id, l.position"
        ).fetchall()
    return [Bill(team, name, shown(quantity), str(total)) for team, name, quantity, total in rows]


def shown(quantity: Decimal) -> str:
    text = f"{quantity.quantize(Decimal('0.000001')):f}"
    return text.rstrip("0").rstrip(".")


@pytest.mark.parametrize("name", TITLES)
def test_a_recipe_s_files_are_complete_and_its_events_have_keys(name):
    files = recipe(name).files

    assert {BILLING_FILE, SAMPLE, README} <= files.keys()
    assert parse(files[BILLING_FILE]).plans
    events = [json.loads(line) for line in files[SAMPLE].splitlines()]
    assert len({event["idempotency_key"] for event in events}) == len(events)
    assert {event["team_id"] for event in events} == {bill.team for bill in bills_of(files[README])}


def test_recipes_are_listed_and_one_that_is_not_there_is_named(run, capsys):
    listed = run("init")
    assert [line.partition("\t")[0] for line in listed.splitlines()] == ["recipe", *TITLES]

    assert main(["init", "--recipe", "taxi"]) == 1
    assert capsys.readouterr().err == f"error: there is no recipe 'taxi'; there are: {', '.join(TITLES)}\n"


def test_init_never_replaces_a_file_unless_it_is_told_to(run, capsys):
    Path("shop").mkdir()
    (Path("shop") / README).write_text("mine")

    assert main(["init", "shop", "--recipe", "storage"]) == 1
    assert "README.md is in" in capsys.readouterr().err
    assert [each.name for each in Path("shop").iterdir()] == [README]

    run("init", "shop", "--recipe", "storage", "--overwrite")
    assert (Path("shop") / README).read_text() == recipe("storage").files[README]


def test_the_compute_recipe_comes_with_advice(run):
    run("init", "--recipe", "compute-hours")

    advice = analyze("jobs.csv").advice

    for sentence in (
        "a10: 2 or more ran in nine of ten hours: a commitment to 2 would be used",
        "a10: 23% of it was used on average",
        "a100: the busiest hour ran",
    ):
        assert any(each.startswith(sentence) for each in advice), advice
