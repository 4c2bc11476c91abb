"""The store: files are the truth, published by atomic rename."""
