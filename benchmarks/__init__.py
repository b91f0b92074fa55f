"""Measurements of a running Tallystick, each figure next to its ceiling: `python -m benchmarks --help`.

Every benchmark is a module with a function `measure` that returns a `Result`. Machines are shared and noisy,
so what is measured and its ceiling take turns in the same run, and medians are quoted.
"""
