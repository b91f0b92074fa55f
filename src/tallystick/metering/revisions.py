"""What another definition of metrics changes: for which intervals their events count differently. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from tallystick.core.clock import Interval
from tallystick.metering.models import Aggregation, MetricDefinition, MetricVersion

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


def differences(before: Iterable[MetricVersion], after: Iterable[MetricVersion]) -> dict[str, list[Interval]]:
    """Of each metric whose versions say something else than before, the intervals for which they do."""
    earlier, later = _by_name(before), _by_name(after)
    found = {name: list(_differing(earlier.get(name, ()), later.get(name, ()))) for name in {*earlier, *later}}
    return {name: intervals for name, intervals in found.items() if intervals}


def lasts(definition: MetricDefinition) -> bool:
    """Whether what happened before an interval bears on its usage: a level holds until it is changed."""
    return definition.aggregation is Aggregation.TIME_WEIGHTED


def _by_name(versions: Iterable[MetricVersion]) -> Mapping[str, Sequence[MetricVersion]]:
    named: dict[str, list[MetricVersion]] = defaultdict(list)
    for version in versions:
        named[version.name].append(version)
    return named


def _differing(before: Sequence[MetricVersion], after: Sequence[MetricVersion]) -> Iterator[Interval]:
    bounds = {BEGINNING, END}
    for version in (*before, *after):
        bounds |= {version.effective_from or BEGINNING, version.effective_to or END}
    for start, end in pairwise(sorted(bounds)):
        if _holding(before, start) != _holding(after, start):
            yield Interval(start, end)


def _holding(versions: Sequence[MetricVersion], moment: datetime) -> MetricDefinition | None:
    for version in versions:
        if (version.effective_from or BEGINNING) <= moment < (version.effective_to or END):
            return version.definition
    return None
