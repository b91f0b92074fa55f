"""Where the server is and how to speak to it: what trackers and clients have in common."""

from __future__ import annotations

import os
from typing import NamedTuple

import httpx

from tallystick_client.errors import NotConfigured

TRANSPORT_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError)
"""What keeps a request from being answered: the network, certificates, a closed client, a setting."""


class Address(NamedTuple):
    """A server, and the key for it."""

    url: str
    api_key: str | None

    @classmethod
    def of(cls, url: str | None, api_key: str | None) -> Address:
        """The address that is given, else that of `TALLYSTICK_URL` and `TALLYSTICK_API_KEY`.

        Raises:
            NotConfigured: there is none, or it can't be one.
        """
        api_key = api_key or os.environ.get("TALLYSTICK_API_KEY")
        url = (url or os.environ.get("TALLYSTICK_URL") or "").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise NotConfigured(f"the server's url is {url!r}; give url= or TALLYSTICK_URL, as http://localhost:8080")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise NotConfigured("the API key holds characters that no key has; it begins with tsk_")
        return cls(url, api_key)

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        key = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {**key, "Content-Type": "application/json", "User-Agent": "tallystick-client"}
