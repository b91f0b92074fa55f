"""Any service that Apprise knows, each message in a process of its own.

Apprise's many plugins look up names, follow redirects, read files and wait as they like. In a process of its own all
of that has bounds: see `apprise_process`. The URL reaches it through a pipe, so no list of processes shows it.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from tallystick.core.networks import Networks
from tallystick.notifications.guard import LONGEST_URL, UnusableUrl, shown
from tallystick.notifications.rendering import Templates
from tallystick.notifications.sending import SEND_WITHIN, NotSent, Outgoing

PROGRAM = Path(__file__).with_name("apprise_process.py")
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""No settings with passwords, no proxies."""


class AppriseSender:
    """Sends notifications to Apprise URLs."""

    def __init__(self, networks: Networks, templates: Templates, patience: float = SEND_WITHIN) -> None:
        self._networks = networks
        self._patience = patience
        self._templates = templates

    async def send(self, outgoing: Outgoing) -> None:
        """Send it.

        Raises:
            NotSent: the service did not take it.
        """
        assert outgoing.url is not None
        written = self._templates.plain(outgoing)
        request = {"url": outgoing.url, "title": written.title, "body": written.text, "networks": str(self._networks)}
        answer = await _run(request, self._patience)
        if "error" in answer:
            raise NotSent(f"{shown(outgoing.url)}: {answer['error']}", uncertain=bool(answer.get("uncertain")))

    async def check(self, url: str) -> None:
        """Pass when Apprise knows what to do with the URL.

        Raises:
            UnusableUrl: it does not.
        """
        if len(url) > LONGEST_URL:
            raise UnusableUrl(f"the URL has more than {LONGEST_URL} characters")
        answer = await _run({"url": url}, max(self._patience, SEND_WITHIN))
        if "error" in answer:
            raise UnusableUrl(f"{shown(url)}: {answer['error']}")


async def _run(request: dict[str, str], patience: float) -> dict[str, Any]:
    """What the process answers to the request; it never outlives this call."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
    )
    try:
        async with asyncio.timeout(patience):
            written, _ = await process.communicate(json.dumps(request).encode())
    except TimeoutError:
        return {"error": f"no answer within {patience:g} s", "uncertain": True}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer: dict[str, Any] = json.loads(written)
    except ValueError:
        return {"error": f"sending ended unexpectedly ({process.returncode})", "uncertain": True}
    return answer
