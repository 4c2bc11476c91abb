"""The user's request, and the cells that it means."""
