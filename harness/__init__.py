"""deid-bench: how well does a face-swap tool hide a person, and what is left of the expression?"""

__version__ = "0.1.0"
