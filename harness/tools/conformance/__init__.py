"""The rules every adapter must keep to, whoever wrote it: `bench tools check`."""
