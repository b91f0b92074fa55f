"""Everything that this package raises.

TallystickClientError
├── InvalidEvent      the event can't be right: nothing was recorded       (also a ValueError)
├── NotConfigured     no server, or no folder for the spool, was named     (also a ValueError)
├── TrackerClosed     the tracker was closed before
└── SpoolError        the disk refused: the event was not accepted
    └── SpoolFull     the spool's limit, or the disk's, is reached
"""


class TallystickClientError(Exception):
    """What everything else here derives from."""


class InvalidEvent(TallystickClientError, ValueError):
    """The event can't be right; the message names the field and what is allowed. Nothing was recorded."""


class NotConfigured(TallystickClientError, ValueError):
    """Something that a tracker can't do without was not named."""


class TrackerClosed(TallystickClientError):
    """The tracker was closed; nothing was recorded."""


class SpoolError(TallystickClientError):
    """The spool can't be written, so the event was not accepted. The message names the file and the reason."""


class SpoolFull(SpoolError):
    """The spool's own limit, or the disk's, is reached: the event was not accepted, earlier ones are safe."""
