"""`GET /api/live`: what dashboards show while it moves, told by the roll-up and computed once for all who look."""
