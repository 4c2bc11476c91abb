"""A static site from the store alone: many small pages, relative links, nothing from outside."""
