"""Benchmarks: what ktviz costs and how good it is, as tables. `python -m benchmarks NAME` runs one."""
