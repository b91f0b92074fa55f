"""What every hook does with a job that is run, and what happens if that fails: nothing to the job."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Generic, Optional, TypeVar

from tallystick_client.jobs import Job, JobTracker

log = logging.getLogger("tallystick_client")

Task = TypeVar("Task")
TeamOf = Callable[[Task], Optional[str]]
"""Whose job it is; None for one that is not to be recorded, such as your own housekeeping."""


class Work(Generic[Task]):
    """Records the jobs that a worker runs. Never raises: a job is not to fail because it could not be recorded."""

    def __init__(self, jobs: JobTracker, team: TeamOf[Task], resources: Mapping[str, Any]) -> None:
        self._jobs = jobs
        self._team = team
        self._resources = resources

    def started(self, task: Task, job_type: str, job_id: str | None) -> Job | None:
        """A job begins; None if it is not to be recorded."""
        try:
            team = self._team(task)
            if team is None:
                return None
            return Job(self._jobs, team, job_type, job_id, self._resources).__enter__()
        except Exception:
            log.exception("the job %s is not recorded", job_id)
            return None

    def ended(self, job: Job | None, status: str) -> None:
        """It has ended."""
        if job is not None:
            try:
                job.end(status)
            except Exception:
                log.exception("the end of a job was not recorded")

    @contextlib.contextmanager
    def running(self, task: Task, job_type: str, job_id: str | None) -> Iterator[None]:
        """A context in which a job runs."""
        job = self.started(task, job_type, job_id)
        status = "failed"
        try:
            yield
            status = "succeeded"
        finally:
            self.ended(job, status)
