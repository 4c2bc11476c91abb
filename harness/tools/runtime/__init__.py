"""Runs steps of tools: one protocol, one module per kind of runtime."""
