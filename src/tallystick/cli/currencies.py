"""`tallystick currencies`: look up exchange rates, upload a table of them, convert an amount."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from tallystick.cli import DataDir, output, run_with_database, settings_from
from tallystick.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tallystick.billing.currencies.models import Coverage
    from tallystick.billing.currencies.service import Currencies, Daily

T = TypeVar("T")

LARGEST_FILE = 64 * 2**20
DAY = ["%Y-%m-%d"]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line.")]

app = typer.Typer(help="Exchange rates: look up, upload, convert.", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="currencies")


@app.command()
def rates(
    pair: Annotated[
        str | None, typer.Argument(metavar="PAIR", help="Such as USD/EUR. Default: list what there are rates of.")
    ] = None,
    *,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=DAY, help="The first day. Default: the last, else today.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="The last day, included. Default: the first.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Show the rate that a statement would use, day by day, with the day it was published and its source."""
    from tallystick.billing.currencies.models import Pair

    if pair is None:
        _show_sources(_with_currencies(lambda currencies: currencies.sources(), data_dir=data_dir), json=json)
        return
    wanted = Pair.parse(pair, field="pair")
    found = _with_currencies(lambda each: each.rates(wanted, _day(first), _day(last)), data_dir=data_dir)
    if json:
        for daily in found:
            output.show_json(_row(wanted, daily))
        return
    output.show_table(("day", "rate", "of", "source"), [_cells(daily) for daily in found])


@app.command()
def upload(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="CSV: date, base, quote and rate, or Date and a column per currency as the ECB has it."
        ),
    ],
    *,
    name: Annotated[
        str | None,
        typer.Option(
            help="What conversions name as their source. ecb adds newer rates of the European Central Bank to its "
            "history. Default: the file's name without its ending."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Upload a table of exchange rates, all of it or nothing. Doing it again changes nothing.

    From its first day on, a table answers for its pairs alone.
    """
    text, table = _read(file), name or file.stem
    done = _with_currencies(lambda currencies: currencies.upload(text, table), data_dir=data_dir)
    same = done.rates - done.added - done.replaced
    output.show(f"{done.table}: {done.added} rates added, {done.replaced} replaced, {same} were there already")


@app.command()
def convert(
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="An exact decimal number.")],
    base: Annotated[str, typer.Argument(metavar="FROM", help="Its currency, such as USD.")],
    quote: Annotated[str, typer.Argument(metavar="TO", help="The currency it becomes, such as EUR.")],
    *,
    on: Annotated[datetime | None, typer.Option(formats=DAY, help="The day whose rate counts. Default: today.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Convert an amount as a statement would."""
    from tallystick.billing.currencies.models import Pair
    from tallystick.core.money import parse_decimal, plain

    pair, number = Pair.parse(f"{base}/{quote}"), parse_decimal(amount, field="amount")
    done = _with_currencies(lambda currencies: currencies.convert(number, pair, _day(on)), data_dir=data_dir)
    if json:
        output.show_json(done._asdict())
        return
    output.show(f"{done.converted:f} {done.currency}")
    output.note(f"1 {pair.base} = {plain(done.rate)} {pair.quote}, {done.source} of {done.rate_date}")


def _with_currencies(work: "Callable[[Currencies], Awaitable[T]]", **options: Any) -> T:
    from tallystick.billing.currencies.service import Currencies
    from tallystick.core.clock import SystemClock

    return run_with_database(lambda database: work(Currencies(database, SystemClock())), settings_from(**options))


def _read(file: Path) -> str:
    if file.stat().st_size > LARGEST_FILE:
        raise InvalidInput(f"{file} is larger than {LARGEST_FILE} bytes; upload it in parts")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not UTF-8 text") from None


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _cells(daily: "Daily") -> Sequence[Any]:
    return (daily.day, daily.rate.value, daily.rate.day, daily.rate.source) if daily.rate else (daily.day, *[None] * 3)


def _row(pair: Any, daily: "Daily") -> dict[str, Any]:
    names = ("day", "rate", "rate_date", "source")
    return {"base": pair.base, "quote": pair.quote, **dict(zip(names, _cells(daily), strict=True))}


def _show_sources(found: "Sequence[Coverage]", *, json: bool) -> None:
    if json:
        for each in found:
            output.show_json({**each._asdict(), "pair": str(each.pair)})
        return
    output.show_table(("source", "pair", "first", "last", "days"), found)
