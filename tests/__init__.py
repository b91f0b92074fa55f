"""Tests. A package of its own, since a client of another system installs one of the same name."""
