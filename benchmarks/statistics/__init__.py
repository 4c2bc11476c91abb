"""How often the harness's statistics are right, on simulated actors."""
