"""A script or a worker that counts what it does."""

from decimal import Decimal

from tallystick_client import Tracker

with Tracker() as tracker:  # TALLYSTICK_URL and TALLYSTICK_API_KEY say where to
    tracker.track("acme", "report", 1, unit="report", kind="monthly")
    tracker.track("acme", "data_processed", Decimal("12.75"), unit="GB", idempotency_key="run-812/gb")

print(tracker.stats())
