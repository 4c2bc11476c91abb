"""A stand-in for the detector that loads nothing."""
