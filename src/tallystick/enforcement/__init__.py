"""Enforcement: whether a team may use more, before it does.

Limits of a team or a plan are compared with usage from the one usage path; reservations keep a part of a limit free
for work that is under way, so that concurrent work can't overshoot it; throttles stop a team whatever its limits say.
"""

from tallystick.enforcement.throttles import throttle

__all__ = ["throttle"]
