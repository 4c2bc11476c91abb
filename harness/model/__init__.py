"""The words of the project as frozen models: everything that crosses a boundary is one of these."""
