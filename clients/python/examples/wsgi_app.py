"""A bare WSGI application whose calls are recorded."""

from tallystick_client import Tracker
from tallystick_client.middleware import WsgiMiddleware


def hello(environ, start_response):
    """Answer, and say which route it was."""
    environ["tallystick.endpoint"] = "/hello/{name}"
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello\n"]


app = WsgiMiddleware(hello, Tracker(), team=lambda environ: environ.get("HTTP_X_TEAM"))
