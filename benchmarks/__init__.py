"""Benchmarks: speed as ratios measured in one process. `python -m benchmarks` runs them all."""
