"""Foundations that import nothing else of the project."""
