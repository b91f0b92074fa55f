"""Sends one message with Apprise: reads it as JSON from standard input, writes what came of it to standard output.

    {"url": "…", "title": "…", "body": "…", "networks": "10.0.0.0/8"}  →  {} or {"error": "…"}

Without a body the URL is only checked. A hook on what the interpreter does (PEP 578) refuses what a URL must not bring
about, whichever plugin tries: connecting to an address that is not public (looked at when the connection is made, so no
redirect or second look-up gets around it), reading files, starting programs, writing into the system's log. Memory has
a bound, and time has one by the parent.
"""

import contextlib
import json
import logging
import os
import resource
import sys
import sysconfig
from typing import Any

from tallystick.core.networks import Networks

MOST_MEMORY = 1 << 30
LONGEST_ERROR = 300

CONNECTING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
FORBIDDEN = frozenset(
    {
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "pty.spawn",
        "syslog.openlog",
        "syslog.syslog",
    }
)


class Refused(OSError):
    """Something that a URL must not bring about."""


def main() -> None:
    """Do what standard input asks for."""
    request = json.loads(sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(answer(request)))


def answer(request: dict[str, str]) -> dict[str, Any]:
    """What came of the request: empty when all went well."""
    import apprise  # noqa: PLC0415 - before the hook: it reads its own files

    said = Listener()
    said.attach()
    asset = apprise.AppriseAsset(storage_mode="memory", allow_templates=False, plugin_paths=[], http_redirects=False)
    watch(Networks.parse(request.get("networks", "")), said)
    service = apprise.Apprise.instantiate(request["url"], asset=asset, suppress_exceptions=True)
    if service is None:
        return {"error": said.refusal or "Apprise does not know this kind of URL, or misses a part of it"}
    if "body" not in request:
        return {}
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    if sender.notify(title=request["title"], body=request["body"], body_format="text"):
        return {}
    return {"error": said.reason(request["url"])}


class Listener(logging.Handler):
    """Hears why Apprise could not send: it tells its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.refusal = ""
        self.status = ""

    def attach(self) -> None:
        """Listen to Apprise."""
        logger = logging.getLogger("apprise")
        logger.setLevel(logging.WARNING)
        logger.addHandler(self)
        logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the status of an HTTP answer. Nothing else: a message may hold parts of the URL."""
        _, found, rest = record.getMessage().partition("error=")
        if found and (digits := rest[:3]).isdigit():
            self.status = digits

    def reason(self, url: str) -> str:
        """Why it was not sent, in words that hold nothing of the URL but its scheme."""
        if self.refusal:
            return self.refusal[:LONGEST_ERROR]
        service = url.partition(":")[0]
        return f"{service} answered {self.status}" if self.status else f"{service} did not take the message"


def watch(networks: Networks, listener: Listener) -> None:
    """From now on refuse, for the rest of the process, what a URL must not bring about."""
    with contextlib.suppress(OSError, ValueError):  # not every system has this bound
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    readable = readable_folders()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        refusal = None
        if event in CONNECTING:
            refusal = _refused_address(arguments[-1], networks)
        elif event == "open":
            refusal = _refused_file(arguments[0], arguments[2], readable)
        elif event in FORBIDDEN:
            refusal = f"{event} is refused"
        if refusal:
            listener.refusal = listener.refusal or refusal
            raise Refused(refusal)

    sys.addaudithook(hook)


def readable_folders() -> tuple[str, ...]:
    """Where Python's and the system's own files are: code, certificates, time zones."""
    import certifi  # noqa: PLC0415

    own = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, os.path.dirname(certifi.where())}  # noqa: PTH120
    return (*(f"{os.path.realpath(each)}/" for each in own), "/etc/ssl/", "/usr/lib/ssl/", "/usr/share/zoneinfo/")


def _refused_address(address: Any, networks: Networks) -> str | None:
    if not isinstance(address, tuple):
        return "connecting to a local socket is refused" if address is not None else None
    host = str(address[0])
    if networks.permits(host):
        return None
    return f"it leads to {host}, which is not public; TALLYSTICK_PRIVATE_NETWORKS can allow it"


def _refused_file(path: Any, flags: Any, readable: tuple[str, ...]) -> str | None:
    if isinstance(path, int):
        return None  # open already
    writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    name = os.path.realpath(os.fsdecode(path))
    if name == os.devnull or (not writes and name.startswith(readable)):
        return None
    return "reading and writing files is refused"


if __name__ == "__main__":
    main()
