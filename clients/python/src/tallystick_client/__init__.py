"""Send usage to Tallystick, and lose none of it.

    from tallystick_client import Tracker

    tracker = Tracker("http://localhost:8080", "tsk_…")
    tracker.track("acme", "api_call", 1, endpoint="/v1/search")

What `track()` accepted is on the disk when it returns, and counts exactly once: after a restart, too.
"""

from tallystick_client.aio import AsyncTracker
from tallystick_client.client import AsyncClient, Client
from tallystick_client.errors import (
    AccessDenied,
    InvalidEvent,
    InvalidRequest,
    LimitReached,
    NotConfigured,
    NotFound,
    RequestFailed,
    RequestRefused,
    ServerUnavailable,
    SpoolError,
    SpoolFull,
    TallystickClientError,
    TrackerClosed,
    UnexpectedAnswer,
)
from tallystick_client.jobs import Job, JobTracker
from tallystick_client.llm import LlmTracker, track_completion
from tallystick_client.recording import RecordingTracker
from tallystick_client.reports import AlertStatus, Costs, Usage
from tallystick_client.reservations import AsyncReservation, Reservation
from tallystick_client.stats import Stats
from tallystick_client.storage import StorageTracker
from tallystick_client.tracker import Tracker
from tallystick_client.tracking import Tracking
from tallystick_client.verdicts import Check

__version__ = "0.1.0"

__all__ = [
    "AccessDenied",
    "AlertStatus",
    "AsyncClient",
    "AsyncReservation",
    "AsyncTracker",
    "Check",
    "Client",
    "Costs",
    "InvalidEvent",
    "InvalidRequest",
    "Job",
    "JobTracker",
    "LimitReached",
    "LlmTracker",
    "NotConfigured",
    "NotFound",
    "RecordingTracker",
    "RequestFailed",
    "RequestRefused",
    "Reservation",
    "ServerUnavailable",
    "SpoolError",
    "SpoolFull",
    "Stats",
    "StorageTracker",
    "TallystickClientError",
    "Tracker",
    "TrackerClosed",
    "Tracking",
    "UnexpectedAnswer",
    "Usage",
    "track_completion",
]
