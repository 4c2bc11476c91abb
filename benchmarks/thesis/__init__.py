"""The published study as data, and what is computed from it."""
