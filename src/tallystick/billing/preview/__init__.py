"""Previews: what usage that never happened would cost, and what a team would pay on another plan."""
