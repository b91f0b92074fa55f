"""Usage: what happened, exactly once, and what it adds up to."""
