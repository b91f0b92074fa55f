"""For Celery: every task that a worker runs, of every pool.

track_tasks(JobTracker(tracker), team=lambda request: request.kwargs.get("team"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import signals, states  # ships no annotations

from tallystick_client.jobs import JobTracker
from tallystick_client.queues.work import TeamOf, Work

if TYPE_CHECKING:
    from celery import Celery

JOB = "tallystick_job"
"""Where a task's request keeps the job that it is."""

STATUSES = {
    states.SUCCESS: "succeeded",
    states.RETRY: "retried",
    states.IGNORED: "ignored",
    states.REJECTED: "rejected",
}
"""What becomes of a task; anything else failed."""


def track_tasks(jobs: JobTracker, *, team: TeamOf[Any], app: Celery | None = None, **resources: Any) -> None:
    """Record the time of every task, also of those that fail or are tried again: each attempt is a job.

    Call it where the application is made, so that every worker process does it.

    Args:
        jobs: where time is recorded.
        team: whose task it is, from its request (`celery.app.task.Context`), which has `args`, `kwargs` and
            `headers`. None: not recorded.
        app: only tasks of this application; else of every one in the process.
        **resources: what workers run on, such as `instance_type`: metadata to price by.
    """
    work: Work[Any] = Work(jobs, team, resources)

    def started(task: Any = None, task_id: str | None = None, **_: Any) -> None:
        if app is None or task.app is app:
            setattr(task.request, JOB, work.started(task.request, task.name, task_id))

    def ended(task: Any = None, state: str | None = None, **_: Any) -> None:
        work.ended(getattr(task.request, JOB, None), STATUSES.get(state, "failed"))

    signals.task_prerun.connect(started, weak=False)
    signals.task_postrun.connect(ended, weak=False)
