"""The examples in docs/examples that are worked out by hand come out of the code, line by line."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from tallystick.billing.service import Billing
from tallystick.catalog.loading import parse
from tallystick.catalog.service import apply
from tallystick.core.settings import Settings
from tallystick.metering.decoding import decode
from tallystick.metering.service import Metering

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
BLOCK = re.compile(r"^```(?P<kind>yaml|json)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (\w+) \| (\d{4}-\d\d) \| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)


class Bill(NamedTuple):
    """A line of a bill as a page shows it."""

    team: str
    period: str
    line: str
    usage: str
    amount: str


class Page:
    """A worked example."""

    def __init__(self, name: str) -> None:
        text = (EXAMPLES / f"{name}.md").read_text(encoding="utf-8")
        blocks = [(found["kind"], found["text"]) for found in BLOCK.finditer(text)]
        self.source = next(block for kind, block in blocks if kind == "yaml")
        self.events = [
            json.loads(line, parse_float=str) for kind, block in blocks if kind == "json" for line in block.splitlines()
        ]
        self.bills = [Bill(*found.groups()) for found in ROW.finditer(text)]


class Books:
    """An installation with a page's billing file."""

    def __init__(self, metering: Metering, billing: Billing, clock) -> None:
        self.metering, self.billing, self.clock = metering, billing, clock

    async def send(self, events) -> None:
        for number, event in enumerate(events):
            sent = json.dumps(
                {**event, "quantity": str(event["quantity"]), "idempotency_key": f"{event['timestamp']}#{number}"}
            )
            outcome = await self.metering.ingestor.submit(decode(sent.encode(), self.metering.limits.now()))
            assert outcome.accepted + outcome.duplicates == 1, outcome

    async def bills(self, *, until: str) -> list[Bill]:
        """The lines of every statement when all that ended by then is closed."""
        done = await self.billing.closing.run(until=datetime.fromisoformat(until))
        assert not done.failures
        return [line async for line in self._closed()]

    async def _closed(self):
        for period in await self.billing.statements.page(100):
            statement = await self.billing.statements.closed(period.id)
            team = await self.billing.teams.get(period.team_id)
            month = f"{period.period.start.astimezone(team.zone):%Y-%m}"
            for line in statement.lines:
                yield Bill(period.team_id, month, line.name, shown(line.quantity), str(line.total))


def shown(quantity: Decimal) -> str:
    """The quantity as a page shows it: to six decimals."""
    return f"{quantity.quantize(Decimal('0.000001')):f}".rstrip("0").rstrip(".")


@pytest.fixture
async def open_books(database, clock):
    """What opens an installation with a page's billing file at a moment."""
    async with Metering.open(database, Settings(), clock) as metering:

        async def opened(page: Page, at: str) -> Books:
            clock.set(datetime.fromisoformat(at))
            await apply(database, parse(page.source), clock)
            return Books(metering, Billing.open(database, metering, clock), clock)

        yield opened


def until(events, moment: str) -> Iterator[dict]:
    return (event for event in events if datetime.fromisoformat(event["timestamp"]) <= datetime.fromisoformat(moment))


async def test_compute_hours_come_out_as_worked_by_hand(open_books):
    page = Page("compute-hours")
    evening = "2026-03-31T22:00:00-04:00"
    books = await open_books(page, evening)
    await books.send(until(page.events, evening))

    statement = await books.billing.statements.current("acme")

    [line] = statement.lines
    assert (shown(line.quantity), str(line.total)) == ("8.411111", "31.19")  # the third machine still runs

    books.clock.set(datetime.fromisoformat("2026-05-02T00:00:00Z"))
    await books.send(page.events)  # the first five again: they count once
    bills = await books.bills(until="2026-05-02T00:00:00Z")
    assert sorted(bills) == sorted(page.bills)
    assert len(bills) == 3


async def test_storage_comes_out_as_worked_by_hand(open_books):
    page = Page("storage")
    books = await open_books(page, "2026-04-01T12:00:00+02:00")
    levels = [event for event in page.events if event["team_id"] == "hourly" and event["event_name"] == "storage_size"]
    assert len(levels) == 4

    await books.send(page.events)
    for team in ("monthly", "peak"):
        await books.send([{**event, "team_id": team} for event in levels])

    bills = await books.bills(until="2026-04-01T12:00:00+02:00")
    assert sorted(bills) == sorted(page.bills)
