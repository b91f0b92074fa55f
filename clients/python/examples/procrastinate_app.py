"""procrastinate jobs that are recorded, whichever worker runs them."""

from procrastinate import App
from procrastinate.testing import InMemoryConnector

from tallystick_client import JobTracker, Tracker
from tallystick_client.queues.procrastinate import record_jobs

record = record_jobs(JobTracker(Tracker()), team=lambda job: job.task_kwargs.get("team"), instance_type="c7i.large")
app = App(
    connector=InMemoryConnector(),  # in your program: PsycopgConnector()
    worker_defaults={"worker_middleware": [record]},
)


@app.task
def render(pages: int, team: str) -> str:
    """An ordinary task."""
    return f"{pages} pages for {team}"
