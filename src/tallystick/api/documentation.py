"""`/docs`: the API's documentation in a browser, from files that come with the installation.

FastAPI's own page loads its script from another host, which an installation without internet can't reach
and to which an API key that is typed into the page would be exposed.
"""

from importlib.util import find_spec
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import FileResponse, Response

FILES = {
    "/docs/swagger-ui.js": ("swagger-ui-bundle.js", "text/javascript"),
    "/docs/swagger-ui.css": ("swagger-ui.css", "text/css"),
    "/docs/favicon.png": ("favicon.png", "image/png"),
}
POLICY = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"


def add_documentation(app: FastAPI) -> None:
    """Add the page and its files."""
    app.add_route("/docs", _page, include_in_schema=False)
    for path in FILES:
        app.add_route(path, _file, include_in_schema=False)


async def _page(_: Request) -> Response:
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Tallystick API",
        swagger_js_url="/docs/swagger-ui.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon.png",
    )
    page.headers["Content-Security-Policy"] = POLICY
    return page


async def _file(request: Request) -> Response:
    name, media_type = FILES[request.url.path]
    found = find_spec("fastapi_offline")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "static" / name
    return FileResponse(path, media_type=media_type, headers={"Cache-Control": "max-age=86400"})
