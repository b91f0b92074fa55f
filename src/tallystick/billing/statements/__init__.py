"""Statements: what a team's period comes to, while it is open, as it was known at any moment, and once it is closed."""
