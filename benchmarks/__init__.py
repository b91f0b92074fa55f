"""Measurements of a running Tallystick, each figure next to its ceiling: `python -m benchmarks --help`.

A benchmark is a module with `measure(events, folder) -> Result`. Machines are shared and noisy, so the thing
measured and its ceiling take turns in the same run, and medians are quoted.
"""
