"""Background jobs whose time is recorded, also while they run and when they fail."""

from tallystick_client import JobTracker, Tracker

with Tracker() as tracker:
    jobs = JobTracker(tracker, heartbeat=30)

    @jobs.job("resize", team=lambda team, _image: team, instance_type="c7i.large")
    def resize(team: str, image: bytes) -> int:
        """Below the decorator of your task queue: `@app.task`, `@job("default")`."""
        return len(image) + len(team)

    resize("acme", b"image")

    with jobs.run("acme", "train", job_id="train-12", instance_type="a10", gpus=1) as job:
        sum(range(100_000))

    print(job.status, job.seconds, "seconds")
