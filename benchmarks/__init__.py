"""Benchmarks: what ktviz costs and how good it is, printed as tables. `python -m benchmarks` runs them all."""
