"""Tools: their descriptions, settings, images and runtimes, and the checks of a description."""
