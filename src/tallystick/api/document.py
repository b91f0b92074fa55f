"""The OpenAPI document without a server or a database: `python -m tallystick.api.document [file]`.

The types of the dashboard are generated from it.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tallystick.api.app import assembled
from tallystick.core.errors import Unauthorized
from tallystick.http.gate import Gate
from tallystick.http.principal import Principal


def document() -> dict[str, Any]:
    """The same document that a server answers at `/openapi.json`."""
    return assembled(partial(Gate, verify=_nobody, max_body_bytes=0)).openapi()


def text() -> str:
    """The document as text that is the same whenever the API is."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> None:
    """Write the document to the file, or to standard output."""
    if arguments:
        Path(arguments[0]).write_text(text(), encoding="utf-8")
    else:
        sys.stdout.write(text())


async def _nobody(_: str) -> Principal:
    raise Unauthorized("nobody is asked for here")


if __name__ == "__main__":
    main(sys.argv[1:])
