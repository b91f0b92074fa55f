"""Whether a price fits the metric that it prices: what is asked of its usage has to be known of it."""

from collections.abc import Collection, Iterator, Mapping

from tallystick.catalog.place import Fields, Place, suggestion
from tallystick.catalog.sections.metrics import dimension_path
from tallystick.core.errors import InvalidInput
from tallystick.metering.models import SUMMABLE, Aggregation, MetricDefinition
from tallystick.pricing import Measure, Price
from tallystick.pricing.price_models.matrix import Matrix
from tallystick.pricing.schedule import MINUTES_A_DAY, Holidays, Schedule
from tallystick.pricing.units import conversion_factors

SCHEDULE = "schedule"
_BY_EVENTS = ("percentage", "graduated_percentage", "dynamic")


def check_fit(fields: Fields, price: Price, metric: MetricDefinition) -> None:
    """Note every part of the price that its metric can't give: a dimension, a schedule, a measure, single events."""
    _check_dimensions(fields, price, metric)
    _check_conversion(fields, price, metric)
    _check_schedule(fields, price, metric)
    _check_discounts(fields)
    aggregation, measure = metric.aggregation, str(price.measure)
    if measure != "total" and aggregation is not Aggregation.TIME_WEIGHTED:
        message = f"{measure} is only for levels over time (time_weighted); {metric.name} is {aggregation}"
        fields.at("measure").refuse(message)
    elif price.schedule and (aggregation not in SUMMABLE or measure != "total"):
        what = measure if measure != "total" else aggregation
        fields.at(SCHEDULE).refuse(f"is only for usage that adds up; {metric.name} is {what}")
    by_events = next((model for model in _models(price) if model in _BY_EVENTS), None)
    if aggregation is not Aggregation.SUM and (price.needs_each_event or by_events):
        fields.at("model").refuse(
            f"{by_events or price.model} prices the amounts of events, which only sum adds up; "
            f"{metric.name} is {aggregation}"
        )


def _models(price: Price) -> Iterator[str]:
    """The price's model, and those of its rates."""
    yield price.model
    if isinstance(price.terms, Matrix):
        rates = (*price.terms.rates, *([price.terms.default] if price.terms.default else []))
        yield from (rate.terms.name for rate in rates)


def _check_conversion(fields: Fields, price: Price, metric: MetricDefinition) -> None:
    """Usage in a unit that is known by name is converted from that one, and not from another of another size."""
    given = fields.get("conversion")
    measured = metric.unit if price.measure is Measure.TOTAL else metric.expected_unit
    if given and price.conversion and price.conversion.source and _differ(measured, price.conversion.source):
        given.fields().at("from").refuse(f"must be {measured}, the unit of {metric.name}")


def _differ(measured: str, source: str) -> bool:
    """Whether two units are known not to be the same; of a unit of the user's own, nothing is known."""
    try:
        ours, theirs = conversion_factors(measured, source)
    except InvalidInput as error:
        return error.field == "conversion.to"  # they measure different things
    return ours != theirs


def _check_schedule(fields: Fields, price: Price, metric: MetricDefinition) -> None:
    schedule, place = price.schedule, fields.get(SCHEDULE)
    if schedule is None or place is None or place.problems.below(place.path):
        return
    if SCHEDULE in metric.dimensions:
        place.refuse(f"can't be told from the dimension of {metric.name} that is called schedule, too")
    bands = place.fields().get("bands")
    if bands is None or len(bands.items()) != len(schedule.bands):
        return
    applying = _applying(schedule)
    for index, (band, at) in enumerate(zip(schedule.bands, bands.items(), strict=True)):
        if band.holidays is Holidays.ONLY and not schedule.holidays:
            at.refuse("never applies: it is for holidays only, and the schedule has none")
        elif index not in applying:
            at.refuse("never applies: the bands before it hold all of its times")


def _applying(schedule: Schedule) -> set[int]:
    """The positions of the bands that apply at some time of some day."""
    starts = {hours.start for band in schedule.bands for hours in band.hours} | {0}
    ends = {hours.end % MINUTES_A_DAY for band in schedule.bands for hours in band.hours}
    days = [(weekday, holiday) for weekday in range(7) for holiday in {False, bool(schedule.holidays)}]
    moments = [(minute, *day) for minute in starts | ends for day in days]
    return {
        next((i for i, band in enumerate(schedule.bands) if band.holds(minute, day, holiday=holiday)), -1)
        for minute, day, holiday in moments
    }


def _check_discounts(fields: Fields) -> None:
    discounts = fields.get("discounts")
    for each in discounts.items() if discounts and isinstance(discounts.node.value, list) else []:
        if isinstance(each.node.value, Mapping) and each.fields().given("scope"):
            each.fields().at("scope").refuse("is not for a price, whose discounts are its own; see those of the plan")


def _check_dimensions(fields: Fields, price: Price, metric: MetricDefinition) -> None:
    known = {*metric.dimensions}
    for key, place in _keys(fields.get("where")):
        _known_dimension(place, dimension_path(key), known, metric)
    dimensions = fields.get("dimensions")
    if dimensions and isinstance(dimensions.node.value, list):
        allowed = known | ({SCHEDULE} if price.schedule else set())
        for item in dimensions.items():
            _known_dimension(item, dimension_path(item.node.text), allowed, metric)


def _keys(place: Place | None) -> Iterator[tuple[str, Place]]:
    if place and isinstance(place.node.value, Mapping):
        yield from ((key, at) for key, at, _ in place.entries())


def _known_dimension(place: Place, path: str, known: Collection[str], metric: MetricDefinition) -> None:
    if path == SCHEDULE and path not in known:
        place.refuse("needs a schedule: when its bands are")
    elif path not in known:
        place.refuse(f"{metric.name} has no dimension {path!r}{suggestion(path, known)}")
