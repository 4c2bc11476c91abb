"""How a step of a tool is run: one protocol, one module per kind of runtime."""
