"""Parts of the comparison of two sides that stand alone."""
