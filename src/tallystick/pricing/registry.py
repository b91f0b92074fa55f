"""The price models by name, and how one is read: filled by `price_models`, read by what names a model."""

from tallystick.pricing.models import PriceModel
from tallystick.pricing.parameters import Parameters, invalid

MODELS: dict[str, type[PriceModel]] = {}


def read_terms(model: str, parameters: Parameters) -> PriceModel:
    """The price model of that name with the numbers that the parameters give; other keys are left to the caller.

    Raises:
        InvalidInput: an unknown model, a missing key, or a number that is not allowed.
    """
    if model not in MODELS:
        raise invalid(parameters.field("model"), f"is {model!r}: must be one of {', '.join(sorted(MODELS))}")
    return MODELS[model].from_parameters(parameters)
