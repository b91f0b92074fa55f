"""Takes the server's port before anything else is started, and says plainly why it can't be had."""

import errno
import socket

from tallystick.core.errors import ConfigurationError
from tallystick.http.loopback import is_loopback

BACKLOG = 2048


class CannotListen(ConfigurationError):
    """The server's address or port can't be had."""


def listen(host: str, port: int, *, loopback_only: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of the host, all on one port.

    Args:
        host: a name or an address of this machine.
        port: 0 takes a free one.
        loopback_only: refuse an address that another machine can reach.

    Raises:
        CannotListen: the host is unknown or not here, or the port is taken or not allowed.
    """
    addresses = _addresses(host)
    if loopback_only and not all(is_loopback(address) for _, address in addresses):
        raise CannotListen(f"--dev asks for no key, so it can't listen on {host}; leave out --host or --dev")
    sockets: list[socket.socket] = []
    try:
        for family, address in addresses:
            sockets.append(_bound(family, address, port))
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for each in sockets:
            each.close()
        raise CannotListen(_reason(error, host, port)) from None
    return sockets


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise CannotListen(f"there is no host {host!r}; give --host a name or address of this machine") from None
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart need not wait a minute
        bound.bind((address, port))
        bound.listen(BACKLOG)  # only this makes sure that nobody else has the port
    except OSError:
        bound.close()
        raise
    return bound


def _reason(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} on {host} is in use; stop what uses it, or choose another with --port"
        case errno.EACCES:
            return f"this user may not listen on port {port}; choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have the address {host}; choose another with --host"
        case _:
            return f"can't listen on {host}, port {port}: {error.strerror}"
