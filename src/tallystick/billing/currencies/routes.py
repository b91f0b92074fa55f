"""`/api/currencies`: exchange rates, uploaded tables, conversions. Reading takes the scope read, uploading admin."""

from datetime import date
from typing import Annotated, Any, Self, cast

from fastapi import APIRouter, Depends, Query, Request, status
from pydantic import BaseModel, ConfigDict, Field

from tallystick.billing.currencies.models import Conversion, Coverage, Pair, Uploaded
from tallystick.billing.currencies.service import Currencies, Daily
from tallystick.core.errors import InvalidInput
from tallystick.core.money import parse_decimal
from tallystick.core.settings import Settings
from tallystick.http.access import Administrator, Reader
from tallystick.http.answers import Number
from tallystick.http.body import read_body
from tallystick.http.openapi import BODY, problems

router = APIRouter(prefix="/api/currencies", tags=["currencies"])

CSV_TYPE = "text/csv"
CSV_EXAMPLE = "date,base,quote,rate\n2026-03-31,USD,EUR,0.9012\n"
CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One rate a line, or the European Central Bank's own shape: Date and a column per currency.",
        "content": {CSV_TYPE: {"schema": {"type": "string"}, "example": CSV_EXAMPLE}},
    }
}


class CurrenciesQuery(BaseModel):
    """Two currencies."""

    model_config = ConfigDict(extra="forbid")

    base: str = Field(description="What is converted.", examples=["USD"])
    quote: str = Field(description="What it becomes.", examples=["EUR"])

    @property
    def pair(self) -> Pair:
        """The two, checked."""
        return Pair.parse(f"{self.base}/{self.quote}", field="quote")


class RatesQuery(CurrenciesQuery):
    """Which rates are wanted."""

    first: date | None = Field(default=None, alias="from", description="The first day. Default: `to`, else today.")
    last: date | None = Field(default=None, alias="to", description="The last day, included. Default: `from`.")


class ConversionQuery(CurrenciesQuery):
    """What is to be converted."""

    amount: str = Field(description="An exact decimal number.", examples=["129.90"])
    on: date | None = Field(default=None, description="The day whose rate counts. Default: today.")


class DailyAnswer(BaseModel):
    """The rate that answers for one day."""

    day: date
    rate: Number | None = Field(description="What one `base` is worth in `quote`; null: no rate is recent enough.")
    rate_date: date | None = Field(description="When it was published: the day, or up to 7 days before.")
    source: str | None = Field(description="`ecb`, or an uploaded table's name.", examples=["ecb"])

    @classmethod
    def of(cls, daily: Daily) -> Self:
        """The answer that shows it."""
        if (rate := daily.rate) is None:
            return cls(day=daily.day, rate=None, rate_date=None, source=None)
        return cls(day=daily.day, rate=rate.value, rate_date=rate.day, source=rate.source)


class RatesAnswer(BaseModel):
    """The rates of a pair, day by day."""

    base: str
    quote: str
    data: list[DailyAnswer]


class ConversionAnswer(BaseModel):
    """An amount in two currencies, and why it is that much."""

    model_config = ConfigDict(from_attributes=True)

    original: Number
    original_currency: str = Field(examples=["USD"])
    converted: Number = Field(description="original × rate, rounded half away from zero to the currency's minor unit.")
    currency: str = Field(examples=["EUR"])
    rate: Number
    rate_date: date
    source: str = Field(examples=["ecb"])

    @classmethod
    def of(cls, conversion: Conversion) -> Self:
        """The answer that shows the conversion."""
        return cls.model_validate(conversion)


class CoverageAnswer(BaseModel):
    """Which days a source has rates of a pair for."""

    source: str = Field(examples=["ecb"])
    base: str
    quote: str
    first: date
    last: date
    days: int = Field(description="How many days have a rate.")

    @classmethod
    def of(cls, coverage: Coverage) -> Self:
        """The answer that shows it."""
        source, (base, quote), first, last, days = coverage
        return cls(source=source, base=base, quote=quote, first=first, last=last, days=days)


class SourcesAnswer(BaseModel):
    """Everything there are rates of."""

    data: list[CoverageAnswer]


class UploadAnswer(BaseModel):
    """What became of an uploaded table."""

    model_config = ConfigDict(from_attributes=True)

    table: str
    rates: int = Field(description="How many rates it has.")
    added: int = Field(description="How many are for a pair and day that had none.")
    replaced: int = Field(description="How many hold from now on in place of others.")

    @classmethod
    def of(cls, uploaded: Uploaded) -> Self:
        """The answer that shows it."""
        return cls.model_validate(uploaded)


def service(request: Request) -> Currencies:
    """The application's exchange rates."""
    return Currencies(request.app.state.database, request.app.state.clock)


Service = Annotated[Currencies, Depends(service)]


@router.get("")
async def list_exchange_rate_sources(currencies: Service, _: Reader) -> SourcesAnswer:
    """What there are exchange rates of: the European Central Bank's history, and uploaded tables. Scope: read."""
    return SourcesAnswer(data=[CoverageAnswer.of(each) for each in await currencies.sources()])


@router.get("/rates")
async def exchange_rates(query: Annotated[RatesQuery, Query()], currencies: Service, _: Reader) -> RatesAnswer:
    """The rate of a pair for each day of some days, at most 1,000. Scope: read."""
    pair = query.pair
    found = await currencies.rates(pair, query.first, query.last)
    return RatesAnswer(base=pair.base, quote=pair.quote, data=[DailyAnswer.of(each) for each in found])


@router.get("/convert", responses=problems(409))
async def convert_amount(
    query: Annotated[ConversionQuery, Query()], currencies: Service, _: Reader
) -> ConversionAnswer:
    """An amount in another currency, as a statement would convert it. Scope: read."""
    amount = parse_decimal(query.amount, field="amount")
    return ConversionAnswer.of(await currencies.convert(amount, query.pair, query.on))


@router.put("/tables/{table}", status_code=status.HTTP_200_OK, responses=BODY, openapi_extra=CSV_BODY)
async def upload_exchange_rates(table: str, request: Request, currencies: Service, _: Administrator) -> UploadAnswer:
    """Upload a table of exchange rates as CSV, all of it or nothing. Sending it again changes nothing. Scope: admin.

    From its first day on, a table answers for its pairs alone: a gap of more than 7 days is an error. The name `ecb`
    is for newer rates of the European Central Bank, which are added to its history instead.
    """
    settings = cast(Settings, request.app.state.settings)
    body = await read_body(request, settings.max_body_bytes)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("the table is not UTF-8 text", field="rates") from None
    return UploadAnswer.of(await currencies.upload(text, table))
