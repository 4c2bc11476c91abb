"""Statistics over actors: small, pure functions on numpy and scipy.

The actor is the unit everywhere: frames are averaged within an actor before anything is tested,
pairs of identities are resampled by identity (``identities``), and what so few actors cannot carry
is said in a sentence instead of a number.
"""
