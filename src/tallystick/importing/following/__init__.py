"""Following: usage from files that grow, each line once.

    Trail      one path: which files its lines are in, through rotations and restarts   (trail, opened, siblings)
    Memory     how far each of those files has been read, on disk                       (memory, place)
    follow     reads trails and has their rows stored, until it is told to stop         (service)

A line counts once because its key is the same whenever it is read: it is made of the file's beginning, the
line's number and its content. What is remembered on disk only saves reading again, so it is written after
the lines were stored, and nothing depends on when a process dies.
"""

from tallystick.importing.following.memory import Memory
from tallystick.importing.following.models import FollowOptions, Piece
from tallystick.importing.following.service import Stored, follow
from tallystick.importing.following.trail import Trail

__all__ = ["FollowOptions", "Memory", "Piece", "Stored", "Trail", "follow"]
