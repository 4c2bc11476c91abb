"""What every page is made with: templates, the figures' data, and the scripts that draw them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.resources
import json
import os
import re
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from harness.core.errors import StoreError, UsageError
from reports.plot import Figure

_PAGE_ENDINGS = (".html", ".htm")
_FILE_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
"""As names of files end; that of a folder may, such as ``night-1.2``."""


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


def whole_page(template: str, values: Mapping[str, Any], scripts_used: Sequence[str]) -> str:
    """A template as a whole page with our style and scripts (``plotly``, ``page``).

    Scripts are allowed by hash; nothing may be loaded from elsewhere.
    """
    scripts = {n: plotly_js() if n == "plotly" else template_text(f"{n}.js") for n in scripts_used}
    csp = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {' '.join(hash_source(text) for text in scripts.values())}; "
        "base-uri 'none'; form-action 'none'"
    )
    css = Markup(template_text("style.css"))
    marked = {name: Markup(text) for name, text in scripts.items()}
    found = environment().get_template(template)
    return found.render(csp=csp, css=css, scripts=marked, **values)


def check_page_place(out: Path) -> None:
    """See that ``write_page`` will make of ``out`` what its name says: a page, or a folder for one.

    Raises UsageError for a file, or a new name that ends like one, of another kind than HTML.
    """
    other = out.is_file() or (not out.is_dir() and _FILE_ENDING.fullmatch(out.suffix))
    if other and out.suffix.lower() not in _PAGE_ENDINGS:
        raise UsageError(
            f"A report is a page in HTML, and {out} is no name for one.",
            hint="Give a name that ends in .html, or a folder. For a PDF, open the page in a "
            "browser and print it into a file.",
        )


def write_page(text: str, out: Path) -> Path:
    """Writes a page to ``out`` (an ``.html`` file, or a folder that gets ``index.html``).

    The file appears whole or not at all. Raises StoreError when it cannot be written.
    """
    target = out if out.suffix.lower() in _PAGE_ENDINGS else out / "index.html"
    content = text.encode()
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(
            f"The report cannot be written to {target}: {error.strerror or error}.",
            hint="Name another place with --out, or free some space.",
        ) from error
    return target
