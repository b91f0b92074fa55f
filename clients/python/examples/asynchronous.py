"""A program on asyncio: no thread, the same promises."""

import asyncio

from tallystick_client import AsyncTracker


async def main() -> None:
    """Track from anywhere on the loop."""
    async with AsyncTracker() as tracker:
        for _ in range(100):
            tracker.track("acme", "message", 1, channel="sms")
    print(tracker.stats().sent, "sent")


asyncio.run(main())
