"""The detectors and recognisers of others, wrapped so that they fail loudly and log quietly."""
