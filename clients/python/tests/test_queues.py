"""Every job of a task queue's worker is recorded, with the real queues: Celery, RQ, procrastinate."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from clients.python.tests.serving import Server
from tallystick_client import JobTracker, RecordingTracker, Tracker

Recorded = tuple[str, str, str]


@pytest.fixture
def tracker() -> RecordingTracker:
    return RecordingTracker()


def recorded(tracker: RecordingTracker) -> list[Recorded]:
    """Team, kind of job, and how it ended; each job's time is there and its type of machine."""
    for event in tracker.events:
        assert (event["event_name"], event["unit"]) == ("job", "second")
        assert Decimal(event["quantity"]) > 0
        assert event["metadata"]["instance_type"] == "a10"
        assert event["metadata"]["job_id"]
    facts = [(event["team_id"], event["metadata"]) for event in tracker.events]
    return [(team, each["job_type"].rpartition(".")[2], each["status"]) for team, each in facts]


def broken(_: Any) -> str | None:
    raise ZeroDivisionError


# --- Celery -----------------------------------------------------------------------------------------


@pytest.fixture
def celery_app() -> Iterator[Any]:
    """An application with an in-memory broker; its worker is a thread."""
    import celery
    from celery import signals

    app = celery.Celery("shop", broker="memory://", backend="cache+memory://")
    app.conf.update(task_default_retry_delay=0, worker_hijack_root_logger=False)
    before = list(signals.task_prerun.receivers or []), list(signals.task_postrun.receivers or [])

    @app.task(name="shop.render", shared=False)
    def render(pages: int, *, team: str | None = None) -> int:
        return 12 // pages

    @app.task(name="shop.flaky", shared=False, bind=True, max_retries=1, default_retry_delay=0)
    def flaky(self: Any, *, team: str) -> str:
        if self.request.retries == 0:
            raise self.retry()
        return "done"

    yield app
    for signal, receivers in zip((signals.task_prerun, signals.task_postrun), before, strict=True):
        signal.receivers[:] = receivers
        signal.sender_receivers_cache.clear()


def test_celery_tasks_are_recorded_however_they_end(celery_app: Any, tracker: RecordingTracker):
    from celery.contrib.testing.worker import start_worker

    from tallystick_client.queues.celery import track_tasks

    track_tasks(
        JobTracker(tracker), team=lambda request: request.kwargs.get("team"), app=celery_app, instance_type="a10"
    )
    with start_worker(celery_app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
        render, flaky = celery_app.tasks["shop.render"], celery_app.tasks["shop.flaky"]
        assert render.delay(3, team="acme").get(timeout=30) == 4
        with pytest.raises(ZeroDivisionError):
            render.delay(0, team="acme").get(timeout=30)
        assert flaky.delay(team="initech").get(timeout=30) == "done"
        assert render.delay(2).get(timeout=30) == 6, "a task without a team is not recorded"
    assert recorded(tracker) == [
        ("acme", "render", "succeeded"),
        ("acme", "render", "failed"),
        ("initech", "flaky", "retried"),
        ("initech", "flaky", "succeeded"),
    ]


def test_a_celery_task_runs_even_if_it_can_not_be_recorded(celery_app: Any, tracker: RecordingTracker, caplog: Any):
    from tallystick_client.queues.celery import track_tasks

    track_tasks(JobTracker(tracker), team=broken)
    assert celery_app.tasks["shop.render"].apply((3,)).get() == 4
    assert tracker.events == []
    assert "is not recorded" in caplog.text


# --- RQ ---------------------------------------------------------------------------------------------


def render(pages: int, *, team: str | None = None) -> int:
    return 12 // pages


async def render_later(pages: int, *, team: str) -> int:
    return 12 // pages


def test_rq_jobs_are_recorded_however_they_end(tracker: RecordingTracker):
    """What a worker calls of a job, which needs no Redis."""
    from tallystick_client.queues.rq import job_class

    kind = job_class(JobTracker(tracker), team=lambda job: job.kwargs.get("team"), instance_type="a10")
    nowhere: Any = object()
    assert kind.create(render, (3,), {"team": "acme"}, connection=nowhere).perform() == 4
    assert kind.create(render_later, (3,), {"team": "acme"}, connection=nowhere).perform() == 4
    assert kind.create(render, (3,), connection=nowhere).perform() == 4
    with pytest.raises(ZeroDivisionError):
        kind.create(render, (0,), {"team": "acme"}, connection=nowhere).perform()
    assert recorded(tracker) == [
        ("acme", "render", "succeeded"),
        ("acme", "render_later", "succeeded"),
        ("acme", "render", "failed"),
    ]


def test_an_rq_job_runs_even_if_it_can_not_be_recorded(tracker: RecordingTracker):
    from tallystick_client.queues.rq import job_class

    kind = job_class(JobTracker(tracker), team=broken)
    assert kind.create(render, (3,), connection=object()).perform() == 4  # type: ignore[arg-type] # nobody uses it
    assert tracker.events == []


@pytest.fixture
def redis_socket(tmp_path: Path) -> Iterator[Path]:
    """A Redis of its own, where the machine has one."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server, which is not installed")
    socket = tmp_path / "redis.sock"
    command = [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 30
        while not socket.exists():
            assert time.monotonic() < deadline, "Redis did not start"
            time.sleep(0.01)
        yield socket
        server.terminate()


def test_rq_workers_record_jobs_and_what_their_children_leave_is_delivered(
    redis_socket: Path, server: Server, team: str, spool: Path
):
    from redis import Redis
    from rq import Queue, SimpleWorker, Worker

    from tallystick_client.queues.rq import job_class

    with (
        Redis(unix_socket_path=str(redis_socket)) as redis,
        Tracker(server.url, spool=spool, flush_interval=60) as tracker,
    ):
        kind = job_class(JobTracker(tracker), team=lambda job: job.kwargs["team"])
        for worker in (SimpleWorker, Worker):
            queue = Queue("render", connection=redis)
            for pages in (3, 0):
                queue.enqueue(render, pages, team=team)
            worker([queue], connection=redis, job_class=kind).work(burst=True, logging_level="ERROR")
            assert tracker.flush(30)
    assert len(server.stored(team)) == 4


# --- procrastinate ----------------------------------------------------------------------------------


async def test_procrastinate_jobs_are_recorded_however_they_end(tracker: RecordingTracker):
    import procrastinate
    from procrastinate.testing import InMemoryConnector

    from tallystick_client.queues.procrastinate import record_jobs

    app = procrastinate.App(connector=InMemoryConnector())

    @app.task(name="shop.render")
    def render(pages: int, team: str | None = None) -> int:
        return 12 // pages

    @app.task(name="shop.flaky", retry=1, pass_context=True)
    async def flaky(context: Any, team: str) -> None:
        if context.job.attempts == 0:
            raise OSError("not yet")

    record = record_jobs(
        JobTracker(tracker), team=lambda job: cast("str | None", job.task_kwargs.get("team")), instance_type="a10"
    )
    async with app.open_async():
        await render.defer_async(pages=3, team="acme")
        await render.defer_async(pages=0, team="acme")
        await render.defer_async(pages=3)
        await flaky.defer_async(team="initech")
        await app.run_worker_async(wait=False, worker_middleware=[record], install_signal_handlers=False)
    assert sorted(recorded(tracker)) == [
        ("acme", "render", "failed"),
        ("acme", "render", "succeeded"),
        ("initech", "flaky", "failed"),
        ("initech", "flaky", "succeeded"),
    ]


async def test_a_procrastinate_job_runs_even_if_it_can_not_be_recorded(tracker: RecordingTracker):
    import procrastinate
    from procrastinate.testing import InMemoryConnector

    from tallystick_client.queues.procrastinate import record_jobs

    app = procrastinate.App(
        connector=InMemoryConnector(),
        worker_defaults={"worker_middleware": [record_jobs(JobTracker(tracker), team=broken)]},
    )
    done = []

    @app.task(name="shop.render")
    async def render() -> None:
        done.append("rendered")

    async with app.open_async():
        await render.defer_async()
        await app.run_worker_async(wait=False, install_signal_handlers=False)
    assert done == ["rendered"]
    assert tracker.events == []
