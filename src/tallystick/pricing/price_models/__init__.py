"""The price models, by name: every module of this package adds the one it calls `MODEL`.

A further model is one more file here (see `per_unit.py` for the smallest) and a table of cases of the
same name in the tests.
"""

from importlib import import_module
from pkgutil import iter_modules

from tallystick.pricing.models import PriceModel
from tallystick.pricing.registry import MODELS


def _discover() -> dict[str, type[PriceModel]]:
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return {module.MODEL.name: module.MODEL for module in modules}


MODELS.update(_discover())

__all__ = ["MODELS"]
