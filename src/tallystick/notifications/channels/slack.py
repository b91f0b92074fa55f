"""Slack's incoming webhooks (and what speaks like them, such as Mattermost): blocks, and a line without."""

from tallystick import __version__
from tallystick.notifications.channels.webhook import expect_success
from tallystick.notifications.guard import Guard
from tallystick.notifications.rendering import Templates
from tallystick.notifications.sending import Outgoing


class SlackSender:
    """Posts notifications as Slack messages."""

    def __init__(self, guard: Guard, templates: Templates) -> None:
        self._guard = guard
        self._templates = templates

    async def send(self, outgoing: Outgoing) -> None:
        """Post it.

        Raises:
            NotSent: Slack did not take it.
        """
        assert outgoing.url is not None
        headers = {"Content-Type": "application/json", "User-Agent": f"Tallystick/{__version__}"}
        answer = await self._guard.post(outgoing.url, headers, self._templates.slack(outgoing))
        expect_success(answer, outgoing.url)
