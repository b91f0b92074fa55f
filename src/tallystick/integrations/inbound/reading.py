"""Reading the settings file of inbound webhooks: YAML, checked to the last field."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tallystick.core.errors import ConfigurationError
from tallystick.integrations.inbound.models import InboundFile


def read_file(path: Path) -> InboundFile:
    """What the file says.

    Raises:
        ConfigurationError: it can't be read, or something in it does not fit; the message says what and where.
    """
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    try:
        return InboundFile.model_validate(document)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_first(error)}") from None


def _first(error: ValidationError) -> str:
    """The first thing that does not fit, and where."""
    found = error.errors(include_url=False)
    place = ".".join(str(step) for step in found[0]["loc"])
    message = found[0]["msg"].removeprefix("Value error, ")
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{place or 'the file'}: {message[:1].lower()}{message[1:]}{more}"
