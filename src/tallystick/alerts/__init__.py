"""Alerts: what is used, owed, expected, left or missing is compared with limits, and somebody is told."""
