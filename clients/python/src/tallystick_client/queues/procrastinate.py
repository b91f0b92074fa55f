"""For procrastinate: every job of a worker that is given the middleware made here.

    app.run_worker(worker_middleware=[record_jobs(JobTracker(tracker), team=lambda job: job.task_kwargs.get("team"))])

`App(worker_defaults={"worker_middleware": […]})` does it for every worker. Needs a procrastinate that has worker
middleware: 3.10 does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tallystick_client.jobs import JobTracker
from tallystick_client.queues.work import TeamOf, Work

if TYPE_CHECKING:
    from procrastinate.job_context import JobContext
    from procrastinate.jobs import Job
    from procrastinate.middleware import AsyncCallNext, WorkerMiddleware
    from procrastinate.worker import Worker


def record_jobs(jobs: JobTracker, *, team: TeamOf[Job], **resources: Any) -> WorkerMiddleware:
    """A middleware that records the time of every job, also of those that fail or are tried again: each attempt is one.

    Args:
        jobs: where time is recorded.
        team: whose job it is, from the job, which has `task_name`, `task_kwargs` and `queue`. None: not recorded.
        **resources: what workers run on, such as `instance_type`: metadata to price by.
    """
    work: Work[Job] = Work(jobs, team, resources)

    async def record(call_next: AsyncCallNext, context: JobContext, _worker: Worker) -> Any:
        job = context.job
        with work.running(job, job.task_name, str(job.id)):
            return await call_next()

    return record
