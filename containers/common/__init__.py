"""Parts that every driver shares; standard library only."""
