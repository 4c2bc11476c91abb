"""Suites, named configs, the published study as data, and performance benchmarks."""
