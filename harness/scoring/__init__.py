"""Scores as pure functions of observations, and the one place that stores them."""
