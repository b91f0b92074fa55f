"""A Celery application whose tasks are recorded: `celery -A celery_app worker`."""

import os

from celery import Celery

from tallystick_client import JobTracker, Tracker
from tallystick_client.queues.celery import track_tasks

app = Celery("shop", broker=os.environ.get("BROKER_URL", "memory://"))
track_tasks(JobTracker(Tracker()), team=lambda request: request.kwargs.get("team"), app=app, instance_type="c7i.large")


@app.task
def render(pages: int, *, team: str) -> str:
    """An ordinary task: it needs no decorator."""
    return f"{pages} pages for {team}"
