"""A bare ASGI application whose calls are recorded: `uvicorn asgi_app:app`."""

from typing import Any

from tallystick_client import Tracker
from tallystick_client.middleware import AsgiMiddleware


async def hello(scope: Any, _receive: Any, send: Any) -> None:
    """Answer, and say which route it was."""
    scope["endpoint"] = "/hello/{name}"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello\n"})


def team_of(scope: Any) -> "str | None":
    """Whose call it is, as your application knows it."""
    return dict(scope["headers"]).get(b"x-team", b"").decode() or None


app = AsgiMiddleware(hello, Tracker(), team=team_of, endpoint=lambda scope: scope.get("endpoint"))
