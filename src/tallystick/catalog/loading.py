"""From a billing file to a catalogue: either all of it is right, or everything that is wrong is listed."""

from pathlib import Path

from tallystick.catalog.errors import CatalogueError, Problem, Problems
from tallystick.catalog.models import Catalogue, Defaults
from tallystick.catalog.place import Fields, Place, Refused
from tallystick.catalog.reader import read
from tallystick.catalog.sections.metrics import read_metrics
from tallystick.catalog.sections.plans import read_plans
from tallystick.catalog.sections.teams import read_defaults, read_teams

FILE = "tallystick.yaml"
"""What the billing file is called by default."""

KEYS = ("version", "currency", "metrics", "plans", "teams", "defaults")
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
        place = Place(read(source, problems), "", problems)
        return place.fields().read("defaults", lambda value: read_defaults(value, None)) or Defaults()
    except (CatalogueError, Refused):
        return Defaults()


def _catalogue(root: Place, source: str) -> Catalogue:
    fields = root.fields(KEYS)
    fields.need("version", _version, f"write version: {VERSION}")
    currency = fields.read("currency", Place.currency)
    metric_names, plan_names = _names(fields, "metrics"), _names(fields, "plans")
    return Catalogue(
        source=source,
        metrics=fields.read("metrics", read_metrics) or {},
        plans=fields.read("plans", lambda section: read_plans(section, currency, metric_names)) or {},
        teams=fields.read("teams", lambda section: read_teams(section, plan_names)) or {},
        defaults=fields.read("defaults", lambda section: read_defaults(section, plan_names)) or Defaults(),
        origin=fields.origin,
    )


def _version(place: Place) -> int:
    if place.number() != VERSION:
        raise Refused(f"must be {VERSION}, the only version there is, not {place.node.text}")
    return VERSION


def _names(fields: Fields, section: str) -> list[str]:
    """What a section defines, right or wrong: a wrong metric must not make its prices wrong, too."""
    place = fields.get(section)
    return list(place.node.value) if place and isinstance(place.node.value, dict) else []
