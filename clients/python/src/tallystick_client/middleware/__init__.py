"""Middleware that records API calls. Each framework has a module of its own, which alone needs that framework."""

from tallystick_client.middleware.asgi import AsgiMiddleware
from tallystick_client.middleware.wsgi import WsgiMiddleware

__all__ = ["AsgiMiddleware", "WsgiMiddleware"]
