"""From a study to scores: the order of the work, in one place."""
