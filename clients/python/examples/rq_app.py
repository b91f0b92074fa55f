"""RQ jobs that are recorded: `rq worker --job-class rq_app.MeteredJob`."""

from tallystick_client import JobTracker, Tracker
from tallystick_client.queues.rq import job_class

MeteredJob = job_class(JobTracker(Tracker()), team=lambda job: job.kwargs.get("team"), instance_type="c7i.large")


def render(pages: int, *, team: str) -> str:
    """An ordinary job: `queue.enqueue(render, 12, team="acme")`."""
    return f"{pages} pages for {team}"
