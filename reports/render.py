"""What every page is made with: templates, the figures' data, and the scripts that draw them."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from reports.plot import Figure


@cache
def environment() -> Environment:
    """Jinja over ``reports/templates``: everything is escaped, an unknown name is an error."""
    found = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html", "j2"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["figure_json"] = figure_json
    return found


def template_text(name: str) -> str:
    """A file of ``reports/templates`` as it is."""
    return (importlib.resources.files("reports") / "templates" / name).read_text("utf-8")


def hash_source(script: str) -> str:
    """A script as a content security policy names it."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def figure_json(figure: Figure) -> Markup:
    """A figure as JSON that is safe inside a script element: ``<``, ``>`` and ``&`` are escaped."""
    content = {"data": figure.traces, "layout": figure.layout}
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


@cache
def plotly_js() -> str:
    """Plotly's own bundle out of its Python package; newlines as the HTML parser reads them."""
    path = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"</(script)", r"<\\/\1", text, flags=re.IGNORECASE)
