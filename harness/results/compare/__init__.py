"""Two tools, versions or configs against each other, paired by actor and donor."""
