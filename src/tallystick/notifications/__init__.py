"""Notifications: what was decided is told once per channel, to people and to machines.

`enqueue` writes a notification into the outbox in the transaction of whoever decided it. A loop makes deliveries of it
and sends them: by email, to Slack, as a signed webhook, or to any Apprise URL.
"""

from tallystick.notifications.models import Fact, Notification
from tallystick.notifications.outbox import enqueue

__all__ = ["Fact", "Notification", "enqueue"]
