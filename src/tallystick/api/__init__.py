"""Application assembly: what every request can reach, and the routes of every domain."""
