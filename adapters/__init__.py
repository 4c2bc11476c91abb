"""Adapters: pure descriptions of the tools the harness can drive."""
