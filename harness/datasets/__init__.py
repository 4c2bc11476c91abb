"""Datasets: who is shown, by which clips, under which licence."""
