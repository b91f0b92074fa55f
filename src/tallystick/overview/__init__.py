"""All teams at a glance: who spends, who grows, what is at risk, and whether everything runs."""
