"""Verdicts: what scores mean when tools are compared, and what a control must show."""
