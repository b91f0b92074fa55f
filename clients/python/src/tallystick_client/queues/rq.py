"""For RQ: every job of a worker that is given the class made here.

    MeteredJob = job_class(JobTracker(tracker), team=lambda job: job.kwargs.get("team"))
    Worker(["default"], connection=redis, job_class=MeteredJob).work()

On the command line: `rq worker --job-class shop.usage.MeteredJob`.
"""

from __future__ import annotations

from typing import Any

from rq.job import Job

from tallystick_client.jobs import JobTracker
from tallystick_client.queues.work import TeamOf, Work


def job_class(jobs: JobTracker, *, team: TeamOf[Job], **resources: Any) -> type[Job]:
    """A class of jobs that record their time, also when they fail or are tried again: each attempt is a job.

    The worker alone needs it; jobs may be enqueued as before. With a worker that forks, the tracker is made before,
    where this is called: the worker's own process then delivers what its children leave behind.

    Args:
        jobs: where time is recorded.
        team: whose job it is, from the job, which has `args`, `kwargs` and `meta`. None: not recorded.
        **resources: what workers run on, such as `instance_type`: metadata to price by.
    """
    work: Work[Job] = Work(jobs, team, resources)

    class MeteredJob(Job):
        """A job that records its time."""

        def perform(self) -> Any:
            """Run it."""
            with work.running(self, self.func_name or "unknown", self.id):
                return super().perform()

    return MeteredJob
