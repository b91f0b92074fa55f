"""Usage from Kafka topics: read at least once, and counted once, because a message's identity is exact.

`messages` says what a message means, without I/O; `source` reads topics. It needs the extra `kafka`.
"""
