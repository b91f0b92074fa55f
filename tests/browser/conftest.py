"""Browser tests: a real server on seeded data, once per run, and Debian's Chromium.

Where no Chromium is they are skipped, with the reason; never where CI is set. `TALLYSTICK_SCREENSHOTS` names a folder
that the pages are drawn into.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tallystick.web.assets import load
from tests.browser.house import House
from tests.conftest import temporary_database

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"

PageAt = Callable[..., Page]


def missing() -> str | None:
    """Why no browser test can run here; None: they can."""
    if CHROMIUM is None:
        return "no Chromium here (on Debian: apt-get install chromium)"
    if not load():
        return "the dashboard is not built (make web)"
    return None


def skip_or_fail(reason: str) -> None:
    """Skip, except where everything has to be there."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def ready() -> None:
    """Everything is here that a browser test needs."""
    if reason := missing():
        skip_or_fail(reason)


@pytest.fixture(scope="module")
def browser(ready: None) -> Iterator[Browser]:
    """Chromium, headless; for one file, since an event loop runs in this thread for as long as Playwright is open."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def house(ready: None, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The seeded server. What a test changes in it, it changes for teams or names of its own."""
    with temporary_database(server_url) as url, House.open(url, tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def empty_house(ready: None, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server that was just installed; also the one to stop and start."""
    with temporary_database(server_url) as url, House.open(url, tmp_path_factory.mktemp("empty"), seed=False) as opened:
        yield opened


@pytest.fixture
def page_at(browser: Browser, house: House) -> Iterator[PageAt]:
    """Opens a page of the dashboard: `page_at("/", width=390, theme="dark")`; logged in unless `key` is None."""
    with ExitStack() as over:

        def opened(
            path: str = "/",
            *,
            width: int = 1280,
            theme: str = "light",
            key: str | None = "admin",
            of: House | None = None,
        ) -> Page:
            at = of or house
            context = browser.new_context(
                viewport={"width": width, "height": 844 if width < 600 else 900},
                color_scheme="dark" if theme == "dark" else "light",
                reduced_motion="reduce",
                locale="en-US",
                timezone_id="Europe/Berlin",
                accept_downloads=True,
            )
            over.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            page = context.new_page()
            if key is not None:
                token = at.key if key == "admin" else key
                page.add_init_script(f"sessionStorage.setItem('tallystick.token', '{token}')")
            page.goto(at.url + path, wait_until="domcontentloaded")
            return page

        yield opened


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], None]:
    """Draws a page into the folder that TALLYSTICK_SCREENSHOTS names, if it names one."""
    folder = os.environ.get("TALLYSTICK_SCREENSHOTS")

    def draw(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return draw
