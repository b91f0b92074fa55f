"""The examples run as they are, against a real server, and the README's do."""

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from clients.python.tests.serving import Server

CLIENT = Path(__file__).parents[1]
EXAMPLES = sorted(path.name for path in (CLIENT / "examples").glob("*.py"))

CALLING = {
    **{
        f"{module}.py": f"""
        import asyncio, httpx
        from {module} import app
        async def main():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
                assert (await client.get("/users/7", headers={{"x-team": "acme"}})).status_code == 200
        asyncio.run(main())
        """
        for module in ("asgi_app", "fastapi_app")
    },
    "celery_app.py": """
        from celery.contrib.testing.worker import start_worker
        from celery_app import app, render
        app.conf.update(result_backend="cache+memory://", worker_hijack_root_logger=False)
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            assert render.delay(12, team="acme").get(timeout=30) == "12 pages for acme"
    """,
    "rq_app.py": """
        from rq_app import MeteredJob, render
        assert MeteredJob.create(render, (12,), {"team": "acme"}, connection=object()).perform() == "12 pages for acme"
    """,
    "procrastinate_app.py": """
        import asyncio
        from procrastinate_app import app, render
        async def main():
            async with app.open_async():
                await render.defer_async(pages=12, team="acme")
                await app.run_worker_async(wait=False, install_signal_handlers=False)
        asyncio.run(main())
    """,
    **{
        f"{module}.py": f"""
        from werkzeug.test import Client
        from {module} import app
        response = Client(app).get("{path}", headers={{"x-team": "acme"}})
        assert response.status_code == 200
        response.close()
        """
        for module, path in {"flask_app": "/orders/7", "django_app": "/orders/7/", "wsgi_app": "/hello/ann"}.items()
    },
}
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WHOLE = "from tallystick_client import"


def run(code: str, server: Server, spool: Path) -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")},
        "PYTHONPATH": os.pathsep.join([str(CLIENT / "src"), str(CLIENT / "examples")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TALLYSTICK_URL": server.url,
        "TALLYSTICK_SPOOL": str(spool),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_delivers_everything(billed: Server, spool: Path, name: str):
    server = billed
    before = len(server.stored("acme"))
    run(dedent(CALLING.get(name, f"import {name.removesuffix('.py')}")), server, spool)
    assert len(server.stored("acme")) > before
    assert list(spool.iterdir()) == [], "something was not delivered, or rejected"


def documented() -> list[str]:
    pages = [CLIENT / "README.md", CLIENT.parents[1] / "docs" / "how-to" / "client.md"]
    return [code for page in pages for code in PYTHON.findall(page.read_text("utf-8")) if WHOLE in code]


@pytest.mark.parametrize("code", documented(), ids=lambda code: code.strip().splitlines()[-1][:40])
def test_what_the_documentation_shows_runs(billed: Server, spool: Path, code: str):
    run(code.replace("http://localhost:8080", billed.url).replace("tsk_…", "tsk_x"), billed, spool)


def test_the_documentation_shows_something():
    assert len(documented()) >= 4
