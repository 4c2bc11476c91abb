"""A stand-in for Keras 2.1."""
