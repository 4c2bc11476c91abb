"""Drivers (see CONTRACT.md) and images, which run tools."""
