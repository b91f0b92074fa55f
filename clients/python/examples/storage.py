"""Storage: bytes as they move, and how much there was each day."""

from datetime import datetime, timedelta, timezone

from tallystick_client import StorageTracker, Tracker

with Tracker() as tracker:
    storage = StorageTracker(tracker)
    storage.on_upload("acme", 1_500_000, idempotency_key="object-17/upload", region="eu")
    storage.on_download("acme", 1_500_000, region="eu")

    # Once a day, for the day that is over. Running it again counts nothing twice.
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    gb_hours = storage.stored("acme", 750_000_000_000, yesterday, store="bucket-eu", region="eu")
    print(gb_hours, "GB-hours")
