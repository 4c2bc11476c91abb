"""The place where the interface of recognisers was: packages outside this project import it."""
