"""Drivers of the tools that run as a child process of the harness."""
