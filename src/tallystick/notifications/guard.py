"""Posts to URLs that users gave, so that they can do no harm here.

A name is looked up once and the connection goes to the very address that was checked, so a name that answers
differently the next time (DNS rebinding) gains nothing. No redirect is followed, no proxy is used, an answer is read up
to a bound and never decompressed, and the whole exchange has a bound in time.

URLs carry secrets. They go into no message and no log: the transport is called without httpx's client, which logs them,
and what httpcore has to say for debugging is not heard, because it shows where a receiver redirects.
"""

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import cache
from typing import NamedTuple, TypeAlias

import httpx

from tallystick.core.networks import Networks
from tallystick.notifications.sending import SEND_WITHIN, NotSent

MOST_ANSWER_BYTES = 64 * 1024
CONNECT_WITHIN = 5.0
READ_BODY_WITHIN = 2.0
LONGEST_URL = 2048
LONGEST_RETRY_AFTER = timedelta(hours=6)


logging.getLogger("httpcore").setLevel(logging.INFO)

_HOST = re.compile(rb"[A-Za-z0-9._:-]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,19}")

LookUp: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]


class UnusableUrl(ValueError):
    """A URL that messages can't be sent to; the text says why, and is fit for a user."""


class Answer(NamedTuple):
    """What a receiver said.

    Attributes:
        status: the HTTP status.
        retry_after: how long it asks to be left alone; None: it does not say.
    """

    status: int
    retry_after: timedelta | None


class Target(NamedTuple):
    """Where a URL leads: the addresses were checked, the URL still has the name."""

    url: httpx.URL
    addresses: Sequence[str]


class Guard:
    """Knows which addresses may be reached, and posts to those alone.

    Args:
        networks: what is not public and may be reached all the same.
        patience: seconds that one exchange may take.
        look_up: the addresses of a host and port.
        tls: how receivers prove who they are; None: by the certificates that browsers trust, too.
    """

    def __init__(
        self,
        networks: Networks,
        *,
        patience: float = SEND_WITHIN,
        look_up: LookUp | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._networks = networks
        self._patience = patience
        self._look_up = look_up or _look_up
        self._tls = tls

    async def resolve(self, url: str) -> Target:
        """The checked addresses of a URL.

        Raises:
            UnusableUrl: it is none, or leads where messages may not go.
            OSError: its name can't be looked up.
        """
        parsed = parse_url(url)
        addresses = await self._look_up(_host(parsed), parsed.port or (443 if parsed.scheme == "https" else 80))
        if refused := [each for each in addresses if not self._networks.permits(each)]:
            raise UnusableUrl(
                f"{shown(url)} leads to {refused[0]}, which is not public; TALLYSTICK_PRIVATE_NETWORKS can allow it"
            )
        if parsed.scheme == "http" and not all(self._networks.allows(each) for each in addresses):
            raise UnusableUrl(f"{shown(url)} is not encrypted; use https, http is for allowed private networks alone")
        return Target(parsed, addresses)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body and say what the answer was, whatever its status.

        Raises:
            NotSent: it could not be sent, or there was no answer in time.
        """
        sent = False
        try:
            async with asyncio.timeout(self._patience):
                target = await self.resolve(url)
                async with _transport(self._tls or _tls()) as transport:
                    sent = True
                    return await _exchange(transport, target, headers, body)
        except UnusableUrl as error:
            raise NotSent(str(error)) from None
        except TimeoutError:
            raise NotSent(f"{shown(url)} did not answer within {self._patience:g} s", uncertain=sent) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, socket.gaierror) as error:
            raise NotSent(f"{shown(url)} can't be reached: {_reason(error)}") from None
        except (httpx.TransportError, OSError) as error:
            raise NotSent(f"{shown(url)} broke off: {_reason(error)}", uncertain=True) from None


def parse_url(text: str) -> httpx.URL:
    """The URL that messages are posted to.

    Raises:
        UnusableUrl: it is none, too long, or not of HTTP.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        raise UnusableUrl("this is not a URL; write it as https://host/path") from None
    if url.scheme not in ("https", "http") or not _HOST.fullmatch(url.raw_host) or len(text) > LONGEST_URL:
        raise UnusableUrl(f"the URL has to be https://host/path with at most {LONGEST_URL} characters")
    if url.userinfo or url.fragment:
        raise UnusableUrl("the URL may have neither a user and password nor a #fragment")
    return url


def shown(url: str) -> str:
    """What a URL is called in answers, messages and logs: its scheme and host; the rest may open a door."""
    scheme, found, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    if scheme in ("http", "https"):
        return f"{scheme}://{host}/…"
    return f"{scheme}://…" if found and _SCHEME.fullmatch(scheme) else "the URL"


def _host(url: httpx.URL) -> str:
    """The name as it is looked up: `url.host` would be spelled for people."""
    return url.raw_host.decode("ascii")


async def _look_up(host: str, port: int) -> Sequence[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise UnusableUrl("the URL's host is not a name that can be looked up") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


@asynccontextmanager
async def _transport(tls: ssl.SSLContext) -> AsyncIterator[httpx.AsyncHTTPTransport]:
    """A transport of its own for each message: a connection that was kept could outlive what was checked."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=0)
    async with httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits) as transport:
        yield transport


async def _exchange(
    transport: httpx.AsyncHTTPTransport, target: Target, headers: Mapping[str, str], body: bytes
) -> Answer:
    failure: httpx.TransportError | None = None
    for address in target.addresses:
        try:
            response = await transport.handle_async_request(_request(target.url, address, headers, body))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            failure = error
        else:
            return await _read(response)
    raise failure or httpx.ConnectError("the name has no address")


def _request(url: httpx.URL, address: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
    """The request to one address, asking for the host that the URL names, of the server and of its certificate."""
    extensions = {"timeout": {"connect": CONNECT_WITHIN}, "sni_hostname": _host(url)}
    named = {"Host": url.netloc.decode("ascii"), **headers}
    return httpx.Request("POST", url.copy_with(host=address), headers=named, content=body, extensions=extensions)


async def _read(response: httpx.Response) -> Answer:
    """The status, which is the answer. Of the body only so much is read that an honest receiver is not cut off."""
    with suppress(httpx.TransportError, TimeoutError):
        try:
            async with asyncio.timeout(READ_BODY_WITHIN):
                await _read_some(response)
        finally:
            await response.aclose()
    return Answer(response.status_code, _retry_after(response.headers.get("retry-after", "")))


async def _read_some(response: httpx.Response) -> None:
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > MOST_ANSWER_BYTES:
            return


def _retry_after(text: str) -> timedelta | None:
    """The seconds that the header asks for; None: it asks for none."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
    return None


def _reason(error: Exception) -> str:
    """The error's first line, or what kind of error it is."""
    return str(error).partition("\n")[0][:200] or type(error).__name__
