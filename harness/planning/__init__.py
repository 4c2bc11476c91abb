"""What was asked for, and which cells that is."""
