"""What runs a tool: drivers (see CONTRACT.md) and images."""
