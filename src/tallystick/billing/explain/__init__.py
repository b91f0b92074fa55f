"""Explaining a line of a closed statement, down to the events behind it."""
