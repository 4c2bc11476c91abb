"""Images of tools: what they are built from, building them, finding them again.

The rest of the harness calls ``ensure.ensure_image`` and gets an image's id.
"""
