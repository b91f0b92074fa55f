"""Recipes: working configurations to begin with. Each is a billing file, sample events and a page that explains them.

Every recipe is a folder here. What its page says a bill comes to is what the code makes of its sample events; a test
compares the two.
"""

from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from tallystick.core.errors import NotFound

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "api-calls": "a price per endpoint in tiers, calls included in a fee, overage",
        "storage": "GB-hours, GB-months and peak by region; egress charged, ingress free",
        "compute-hours": "GPU and CPU hours by machine, region, spot or on-demand; jobs by day and night; advice",
        "data-processing": "per GB that goes through a pipeline, and per hundred jobs",
        "messaging": "per message by channel and country, and per minute of call",
        "analytics": "per event tracked, and per user seen",
        "llm-tokens": "input, cached input and output tokens per million and model",
    }
)
"""Every recipe, and what it contains in a line."""

BILLING_FILE = "tallystick.yaml"
SAMPLE = "sample-events.ndjson"
README = "README.md"


class Recipe(NamedTuple):
    """A recipe: the text of its files by name, the billing file first."""

    name: str
    title: str
    files: Mapping[str, str]


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        NotFound: there is none.
    """
    if name not in TITLES:
        raise NotFound(f"there is no recipe {name!r}; there are: {', '.join(TITLES)}")
    folder = files(__name__).joinpath(name)
    first = (BILLING_FILE, SAMPLE, README)
    names = sorted((each.name for each in folder.iterdir()), key=lambda each: (each not in first, each))
    return Recipe(name, TITLES[name], {each: folder.joinpath(each).read_text(encoding="utf-8") for each in names})
