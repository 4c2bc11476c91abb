"""Where each page of a site is, and how one page names another: relative, always."""

from __future__ import annotations

import posixpath
import re

from harness.core.hashing import content_hash
from harness.model.cell import CellSpec

INDEX = "index.html"
METHODS = "methods.html"
DATA = "data/index.html"
RESULTS = "results.json"
SCHEMA = "results.schema.json"
FEED = "feed.xml"
STYLE = "assets/site.css"
EARLY = "assets/early.js"
PAGE_SCRIPT = "assets/page.js"
SITE_SCRIPT = "assets/site.js"
PLOTLY = "assets/plotly.min.js"


def cell_page(slug: str) -> str:
    """The page of a cell."""
    return f"cells/{slug}.html"


def tool_page(tool: str) -> str:
    """The page of a tool, all its versions and configs."""
    return f"tools/{plain(tool)}.html"


def actor_page(spec: CellSpec) -> str:
    """The page of a cell's actor. Actors of two datasets may share a number."""
    name = plain(spec.dataset)
    if name != spec.dataset:
        # Another dataset may have the same plain name.
        name = f"{name}-{content_hash(spec.dataset)[:8]}"
    return f"actors/{name}-{spec.actor.number:02d}.html"


def relative(target: str, page: str) -> str:
    """``target`` as ``page`` names it; both are paths from the site's root."""
    path, mark, anchor = target.partition("#")
    return posixpath.relpath(path, posixpath.dirname(page) or ".") + mark + anchor


def anchor(text: str) -> str:
    """A name for a place in a page."""
    return plain(text).lower()


def plain(text: str) -> str:
    """A name of letters, digits, points and hyphens: the same for the same text."""
    return re.sub("[^A-Za-z0-9.]+", "-", text).strip("-.") or "unnamed"
