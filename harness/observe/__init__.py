"""Measuring what is in one video or photo; nothing here compares two of them."""
