"""Compute time of background jobs: seconds, with the job's type and resources.

A job's time is recorded while it runs, a heartbeat at a time, each heartbeat adding what has passed since the one
before. So a job that raises is recorded to its end, and of one that is killed at most one heartbeat is missing. The
parts add up to the whole, to the microsecond.
"""

from __future__ import annotations

import functools
import inspect
import logging
import os
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, Callable, TypeVar, Union, cast

from tallystick_client.errors import TallystickClientError
from tallystick_client.events import new_key
from tallystick_client.tracking import Tracking

log = logging.getLogger("tallystick_client")

Function = TypeVar("Function", bound=Callable[..., Any])
TeamOfJob = Union[str, Callable[..., str]]


class Job:
    """A running job; made by `JobTracker.run`."""

    def __init__(
        self, jobs: JobTracker, team: str, job_type: str, job_id: str | None, resources: Mapping[str, Any]
    ) -> None:
        self._jobs = jobs
        self._team = team
        self._run = new_key()  # of this attempt: a job that is tried again has used the time of both
        self._facts = {**resources, "job_type": job_type, "job_id": job_id or self._run}
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._started = self._ended = 0
        self._reported = self._parts = 0
        self.status = "running"

    @property
    def seconds(self) -> Decimal:
        """For how long it has run, or ran, to the microsecond."""
        return Decimal(self._microseconds()).scaleb(-6)

    def _microseconds(self) -> int:
        until = self._ended or time.monotonic_ns()
        return (until - self._started) // 1000 if self._started else 0

    def __enter__(self) -> Job:
        self._started = time.monotonic_ns()
        self._jobs.watch(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end("succeeded" if kind is None else "failed")

    def end(self, status: str) -> None:
        """Record the rest, and how it ended: what leaving the block does."""
        if self._process != os.getpid():
            return  # a forked child that leaves its parent's block; the job is the parent's
        self._ended = time.monotonic_ns()
        self.status = status
        if self.beat():
            self._jobs.unwatch(self)

    def beat(self) -> bool:
        """Record what has passed since the last time; False if it could not be, and remains to be recorded."""
        with self._lock:
            passed = self._microseconds()
            if passed > self._reported:
                if not self._record(passed - self._reported):
                    return False
                self._reported = passed
                self._parts += 1
            return True

    def _record(self, microseconds: int) -> bool:
        jobs = self._jobs
        try:
            jobs.tracker.track(
                self._team,
                jobs.event,
                Decimal(microseconds).scaleb(-6),
                unit="second",
                idempotency_key=f"{self._run}/{self._parts}",
                properties={**self._facts, "status": self.status},
            )
        except TallystickClientError as error:
            log.error("time of the job %s was not recorded yet: %s", self._facts["job_id"], error)
            return False
        return True


class JobTracker:
    """Records the time of background jobs as events `job` in seconds.

        jobs = JobTracker(tracker)

        with jobs.run("acme", "render", instance_type="a10", gpus=1):
            render()

        @jobs.job("render", team=lambda order: order.team, instance_type="a10")
        def render_order(order): ...

    The decorator is for plain functions and coroutines. For all tasks of Celery, RQ or procrastinate there is a hook
    in `tallystick_client.queues`.
    """

    def __init__(self, tracker: Tracking, *, event: str = "job", heartbeat: float = 30.0) -> None:
        """Record to a tracker.

        Args:
            tracker: where time is recorded.
            event: the name of the events.
            heartbeat: seconds after which a running job is recorded again: what is lost at most if it is killed.
        """
        self.tracker = tracker
        self.event = event
        self._heartbeat = heartbeat
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._running: set[Job] = set()
        self._beating = False

    def run(self, team: str, job_type: str, *, job_id: str | None = None, **resources: Any) -> Job:
        """A context in which a job runs.

        Args:
            team: who is billed for it.
            job_type: what kind of job it is.
            job_id: names it for people, in the metadata; made if not given.
            **resources: what it runs on, such as `instance_type`, `gpus`, `region`: metadata to price by.
        """
        return Job(self, team, job_type, job_id, resources)

    def job(self, job_type: str, *, team: TeamOfJob, **resources: Any) -> Callable[[Function], Function]:
        """Decorate a function, or a coroutine function, whose calls are jobs.

        `team` is the team, or a function that is called with the job's arguments and returns it.
        """

        def decorate(function: Function) -> Function:
            def context(*arguments: Any, **named: Any) -> Job:
                billed = team if isinstance(team, str) else team(*arguments, **named)
                return self.run(billed, job_type, **resources)

            @functools.wraps(function)
            def call(*arguments: Any, **named: Any) -> Any:
                with context(*arguments, **named):
                    return function(*arguments, **named)

            @functools.wraps(function)
            async def call_async(*arguments: Any, **named: Any) -> Any:
                with context(*arguments, **named):
                    return await function(*arguments, **named)

            return cast("Function", call_async if inspect.iscoroutinefunction(function) else call)

        return decorate

    def watch(self, job: Job) -> None:
        """Let a job's heart beat."""
        if self._process != os.getpid():
            self._begin()  # forked: the parent's jobs and its thread are not here
        with self._changed:
            self._running.add(job)
            if not self._beating:
                self._beating = True
                threading.Thread(target=self._beat, name="tallystick-jobs", daemon=True).start()

    def unwatch(self, job: Job) -> None:
        """A job has ended and is recorded."""
        with self._changed:
            self._running.discard(job)
            self._changed.notify_all()

    def _beat(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._running, self._heartbeat)
                if not self._running:
                    self._beating = False
                    return
                running = list(self._running)
            for job in running:
                if job.beat() and job.status != "running":
                    self.unwatch(job)
