"""Events that can't be delivered by sending them again: kept with the reason, for people to look at."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick_client.spool import DEAD_LETTERS


def dead_letter(event: bytes, reason: dict[str, Any]) -> bytes:
    """The line that keeps an event, byte for byte, beside why it was rejected."""
    why = {name: reason.get(name) for name in ("code", "field", "message")}
    why["at"] = datetime.now(timezone.utc).isoformat()
    return json.dumps(why, separators=(",", ":")).encode()[:-1] + b',"event":' + event + b"}"


def dead_letters(spool: Path) -> list[dict[str, Any]]:
    """The rejected events of a spool, oldest first: each with `event`, `code`, `field`, `message` and `at`.

    A letter can be there twice, if the process was killed just after writing it; its event has the same key.
    """
    path = spool / DEAD_LETTERS
    if not path.exists():
        return []
    whole = (line for line in path.read_bytes().split(b"\n") if line.endswith(b"}"))
    return [json.loads(line, parse_float=Decimal) for line in whole]
