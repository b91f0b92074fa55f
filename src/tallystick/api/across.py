"""Requests from pages of other sites: which sites' pages may read the answers.

The components of the dashboard can live in the page of an application of one's own, and ask from there. That a
browser then lets them read the answer is all that is allowed here: nothing is sent along by the browser itself
(there are no cookies), so a page without a token gets no further than anybody.
"""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from tallystick.web import policy

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = ("Authorization", "Content-Type", "X-API-Key", "Last-Event-ID")
READ = ("Content-Disposition", "ETag", "Retry-After")
REMEMBERED_SECONDS = 600


def across(origins: Sequence[str], app: ASGIApp) -> ASGIApp:
    """The application, whose answers pages of these origins may read. With none it stays as it is."""
    if (expression := policy.matching(origins)) is None:
        return app
    return CORSMiddleware(
        app,
        allow_origin_regex=expression,
        allow_methods=METHODS,
        allow_headers=SENT,
        expose_headers=READ,
        allow_credentials=False,
        max_age=REMEMBERED_SECONDS,
    )
