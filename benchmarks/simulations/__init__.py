"""Simulated comparisons, which show how often a rule is wrong."""
