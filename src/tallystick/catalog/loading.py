"""From a billing file to a catalogue: either all of it is right, or everything that is wrong is listed."""

from collections.abc import Mapping
from pathlib import Path

from tallystick.catalog.errors import CatalogueError, Problem, Problems
from tallystick.catalog.models import BillingRules, Catalogue, Defaults, MetricEntry
from tallystick.catalog.place import Fields, Place, Refused
from tallystick.catalog.reader import read
from tallystick.catalog.sections.billing import read_billing
from tallystick.catalog.sections.metrics import read_metrics
from tallystick.catalog.sections.plans import Plans, read_plans
from tallystick.catalog.sections.prices import Metrics
from tallystick.catalog.sections.teams import read_defaults, read_teams
from tallystick.catalog.terms import family_of, version_of, versioned
from tallystick.metering.models import MetricDefinition

FILE = "tallystick.yaml"
"""What the billing file is called by default."""

KEYS = ("version", "currency", "metrics", "plans", "teams", "defaults", "billing")
VERSION = 1


def load(path: Path) -> Catalogue:
    """The catalogue in a file.

    Raises:
        CatalogueError: with every problem of the file; also where it can't be read or is not UTF-8.
    """
    try:
        source = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CatalogueError([Problem(str(path), line, 1, "", "not UTF-8 text")]) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CatalogueError([Problem(str(path), 1, 1, "", f"can't be read: {reason}")]) from None
    return parse(source, str(path))


def parse(source: str, file: str = FILE) -> Catalogue:
    """The catalogue that the text describes; `file` is what problems call it.

    Raises:
        CatalogueError: with every problem of the text.
    """
    problems = Problems(file)
    root = Place(read(source, problems), "", problems)
    catalogue = root.attempt(lambda place: _catalogue(place, source))
    problems.raise_if_any()
    if catalogue is None:
        raise AssertionError("a catalogue that could not be read has a problem")
    return catalogue


def defaults_of(source: str) -> Defaults:
    """The defaults in a text that was applied once, whatever else today's rules would say about it."""
    problems = Problems(FILE)
    try:
        fields = Place(read(source, problems), "", problems).fields()
        defaults = fields.read("defaults", lambda value: read_defaults(value, None)) or Defaults()
        return defaults._replace(plan=defaults.plan and _latest(fields, defaults.plan))
    except (CatalogueError, Refused):
        return Defaults()


def _latest(fields: Fields, plan: str) -> str:
    """What the plan that a file names is stored under: its highest version there."""
    section = fields.get("plans")
    if "@" in plan or not section:
        return plan
    versions = [_version_in(value) for name, _, value in section.entries() if name == plan]
    versions += [version_of(name) for name in _names(fields, "plans") if "@" in name and family_of(name) == plan]
    return versioned(plan, max(versions, default=1))


def _version_in(plan: Place) -> int:
    written = plan.fields().get("version") if isinstance(plan.node.value, dict) else None
    return int(written.number()) if written else 1


def _catalogue(root: Place, source: str) -> Catalogue:
    fields = root.fields(KEYS)
    fields.need("version", _version, f"write version: {VERSION}")
    currency = fields.read("currency", Place.currency)
    entries = fields.read("metrics", read_metrics) or {}
    metrics = Metrics(_names(fields, "metrics"), _definitions(entries, root.problems))
    read = fields.read("plans", lambda section: read_plans(section, currency, metrics)) or {}
    plans = Plans(frozenset(_names(fields, "plans")), read)
    return Catalogue(
        source=source,
        metrics=entries,
        plans=plans.entries,
        teams=fields.read("teams", lambda section: read_teams(section, plans, metrics, currency)) or {},
        defaults=fields.read("defaults", lambda section: read_defaults(section, plans)) or Defaults(),
        origin=fields.origin,
        billing=fields.read("billing", lambda section: read_billing(section, metrics.names)) or BillingRules(),
    )


def _definitions(entries: Mapping[str, MetricEntry], problems: Problems) -> dict[str, MetricDefinition]:
    """The definitions that prices can be held against: those of metrics with which nothing is wrong."""
    right = (entry for entry in entries.values() if not problems.below(entry.origin.position.key))
    return {entry.definition.name: entry.definition for entry in right}


def _version(place: Place) -> int:
    if place.number() != VERSION:
        raise Refused(f"must be {VERSION}, the only version there is, not {place.node.text}")
    return VERSION


def _names(fields: Fields, section: str) -> list[str]:
    """What a section defines, right or wrong: a wrong metric must not make its prices wrong, too."""
    place = fields.get(section)
    return list(place.node.value) if place and isinstance(place.node.value, dict) else []
