"""Benchmarks of the harness itself: what a measurement costs, and whether a fast one is right."""
