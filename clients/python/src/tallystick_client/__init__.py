"""Send usage to Tallystick, and lose none of it.

    from tallystick_client import Tracker

    tracker = Tracker("http://localhost:8080", "tsk_…")
    tracker.track("acme", "api_call", 1, endpoint="/v1/search")

What `track()` accepted is on the disk when it returns, and counts exactly once: after a restart, too.
"""

from tallystick_client.aio import AsyncTracker
from tallystick_client.errors import (
    InvalidEvent,
    NotConfigured,
    SpoolError,
    SpoolFull,
    TallystickClientError,
    TrackerClosed,
)
from tallystick_client.jobs import Job, JobTracker
from tallystick_client.llm import track_completion
from tallystick_client.recording import RecordingTracker
from tallystick_client.stats import Stats
from tallystick_client.storage import StorageTracker
from tallystick_client.tracker import Tracker
from tallystick_client.tracking import Tracking

__version__ = "0.1.0"

__all__ = [
    "AsyncTracker",
    "InvalidEvent",
    "Job",
    "JobTracker",
    "NotConfigured",
    "RecordingTracker",
    "SpoolError",
    "SpoolFull",
    "Stats",
    "StorageTracker",
    "TallystickClientError",
    "Tracker",
    "TrackerClosed",
    "Tracking",
    "track_completion",
]
