"""Writes the reference of the command line and of the settings: `python -m tallystick.cli.reference [FOLDER]`.

Both pages are made from the code alone, so they are the same on every machine, and a test tells when the
committed ones are not what this makes.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from typer.core import TyperGroup
from typer.main import get_command

from tallystick.cli import output
from tallystick.core.settings import Settings

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
"""Where the pages are in a checkout."""

GENERATED = "<!-- Made from the code by `make docs-reference`: change it there. -->"
DATA_DIR = "--data-dir FOLDER"
"""Nearly every command has this option; it is described once."""

_FACTS = re.compile(r"^(?P<meaning>.*?)\s*(?:\[(?P<facts>[^]]*)\])?$", re.DOTALL)
_LONG_FIRST = re.compile(r"^(-\w), (--[\w-]+)")
_KINDS = {
    "str": "text",
    "SecretStr": "text",
    "int": "whole number",
    "float": "number",
    "bool": "`true` or `false`",
    "Path": "folder",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}

CLI_HEAD = f"""{GENERATED}

# Command line reference

`tallystick COMMAND --help` says the same in the terminal.

* Results go to standard output; remarks and errors go to standard error. A terminal gets tables. A pipe or a file gets
  the same rows separated by tabs, one line each, and `--json` where the command has it.
* An error is one line, `error: …`, that says what is wrong, where, and what is allowed.
* Commands that use the database need no API key. They find it as the server does: by `DATABASE_URL`, else in
  [the data folder](#the-data-folder). They may run beside the server.

| Exit code | Meaning |
|---|---|
| 0 | all went well |
| 1 | it could not be done, or not all of it; `validate-period` found a discrepancy |
| 2 | the command, a setting or the billing file is wrong |
| 70 | something unexpected; `TALLYSTICK_DEBUG=1` shows the traceback |
| 130 | stopped by Ctrl-C |
"""

CONFIGURATION_HEAD = f"""{GENERATED}

# Configuration reference

An installation is configured by environment variables; none is required. What is counted and what it costs is not
here but in [the billing file](catalogue.md). A value that does not fit is refused at the start, and the error names the
variable. `--data-dir`, and `--host` and `--port` of `tallystick serve`, win over their variables.

| Variable | Default | Value | Meaning |
|---|---|---|---|
"""

CONFIGURATION_FOOT = """
Two more variables are looked at:

| Variable | Meaning |
|---|---|
| `XDG_DATA_HOME` | Takes the place of `~/.local/share` in the default of `TALLYSTICK_DATA_DIR` |
| `TALLYSTICK_DEBUG` | When it is not empty, an error of the command line shows its traceback too |
"""


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    return {"cli.md": cli_page(), "configuration.md": configuration_page()}


def cli_page() -> str:
    """Every command with its arguments and options, in the order of `tallystick --help`."""
    root = get_command(typer_app())
    assert isinstance(root, TyperGroup)
    context = typer.Context(root, info_name="tallystick")
    contexts = list(_commands(context))
    contents = [f"* [`{each.command_path}`](#{_anchor(each.command_path)}): {_summary(each)}" for each in contexts]
    sections = [_data_folder(contexts), *(_section(each) for each in (context, *contexts))]
    return "\n".join([CLI_HEAD, *contents, "", "\n".join(sections)])


def _data_folder(contexts: Sequence[typer.Context]) -> str:
    said = {record[1] for each in contexts for record in _records(each) if record[0] == DATA_DIR}
    return f"## The data folder\n\n`{DATA_DIR}`: {' '.join(sorted(said))} See [configuration](configuration.md).\n"


def typer_app() -> typer.Typer:
    """The application; imported here so that the settings alone can be read without it."""
    from tallystick.cli.app import app

    return app


def _commands(context: typer.Context) -> Iterator[typer.Context]:
    group = context.command
    if not isinstance(group, TyperGroup):
        yield context
        return
    for name, command in group.commands.items():
        yield from _commands(typer.Context(command, info_name=name, parent=context))


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def _summary(context: typer.Context) -> str:
    return (context.command.help or "").strip().partition("\n")[0]


def _section(context: typer.Context) -> str:
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    described = "\n".join(line.strip() for line in (context.command.help or "").splitlines()).strip()
    rows = "".join(_option_row(*record) for record in _records(context))
    table = f"\n| Argument or option | Meaning | Default, bounds |\n|---|---|---|\n{rows}" if rows else ""
    return f"## {context.command_path}\n\n```\n{usage}\n```\n\n{described}\n{table}"


def _records(context: typer.Context) -> Iterator[tuple[str, str]]:
    """The arguments and options as --help spells and explains them."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[0] != "--help":
            yield _LONG_FIRST.sub(r"\2, \1", record[0]), record[1]


def _option_row(spelling: str, explanation: str) -> str:
    if spelling == DATA_DIR:
        return _row(f"`{spelling}`", "See [the data folder](#the-data-folder).", "")
    found = _FACTS.match(explanation)
    assert found
    return _row(f"`{spelling}`", found["meaning"], _plainly(found["facts"] or ""))


def _plainly(facts: str) -> str:
    """`default: (8080); 0<=x<=65535` as `8080; 0<=x<=65535`."""
    return re.sub(r"\((.*?)\)", r"\1", facts.removeprefix("default: "))


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |\n"


def configuration_page() -> str:
    """Every setting: its variable, default, bounds and meaning."""
    rows = (
        _row(f"`{variable_of(name, field)}`", _default(field), _value(field), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return CONFIGURATION_HEAD + "".join(rows) + CONFIGURATION_FOOT


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias or f"{Settings.model_config.get('env_prefix', '')}{name}".upper())


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "see there"  # it is made on the machine, and its description says how
    match field.default:
        case None:
            return "none"
        case bool(value):
            return f"`{str(value).lower()}`"
        case value:
            return f"`{value}`"


def _value(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{each}`" for each in get_args(annotation))
    spelled = str(getattr(annotation, "__name__", annotation))
    kind = next(name for name in _KINDS if name in (each.rpartition(".")[2] for each in spelled.split(" | ")))
    return ", ".join([_KINDS[kind], *_bounds(field.metadata)])


def _bounds(metadata: Sequence[object]) -> Iterator[str]:
    for bound in metadata:
        for name, words in _BOUNDS.items():
            if hasattr(bound, name):
                yield f"{words} {getattr(bound, name)}"


def main(arguments: Sequence[str]) -> None:
    """Write the pages into the folder that is named, else into the checkout's."""
    folder = Path(arguments[0]) if arguments else FOLDER
    for name, page in pages().items():
        (folder / name).write_text(page, encoding="utf-8")
        output.note(f"{folder / name} written")


if __name__ == "__main__":
    main(sys.argv[1:])
