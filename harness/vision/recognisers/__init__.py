"""Recognisers of faces as plug-ins: a description, and a function from aligned faces to vectors.

A package of its own adds one under the entry point group ``bench.recognisers``: a function that
takes the home folder (for models) and returns a ``Recogniser``.
"""
