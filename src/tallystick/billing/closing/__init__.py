"""Closing: a period becomes a statement for good, once, however often and by however many it is asked for."""
