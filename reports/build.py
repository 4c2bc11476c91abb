"""Builds one self-contained page from a ReportData. No network, no store: data in, one file out."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib.resources
import json
import os
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from harness.errors import StoreError
from harness.model.dataset import Split
from reports.aggregate import attribute_sources, attributes, cells_of, is_control, variants
from reports.controls import control_checks
from reports.figures import Figure, box_figures, scatter_figure, threshold_of, unit_figure
from reports.headline import headline, headline_numbers
from reports.model import NOT_DETECTED_FTA, ReportData
from reports.provenance import host_lines, provenance_table, reference_rows
from reports.tables import actor_table, failure_table, overview_table, unit_table

__all__ = ["build_report", "headline", "page"]


def build_report(data: ReportData, out: Path) -> Path:
    """Writes the page to ``out`` (an ``.html`` file, or a folder that gets ``index.html``).

    The file appears whole or not at all. Raises StoreError when it cannot be written.
    """
    target = out if out.suffix.lower() in (".html", ".htm") else out / "index.html"
    content = page(data).encode()
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


def page(data: ReportData) -> str:
    """The whole page as text. Scripts are allowed by hash; nothing may be loaded from elsewhere."""
    scripts = {"plotly": _plotly_js(), "page": _text("page.js")}
    csp = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {' '.join(_hash_source(text) for text in scripts.values())}; "
        "base-uri 'none'; form-action 'none'"
    )
    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html", "j2"), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["figure_json"] = figure_json
    css = Markup(_text("style.css"))
    marked = {name: Markup(text) for name, text in scripts.items()}
    template = environment.get_template("report.html.j2")
    return template.render(csp=csp, css=css, scripts=marked, **view(data))


def view(data: ReportData) -> dict[str, Any]:
    """What the template shows, in its words."""
    sources = attribute_sources(data)
    names = variants(data)
    figures = [f for i, name in enumerate(names) for f in box_figures(data, name, i)]
    units: list[tuple[str, Any, list[Figure]]] = []
    for k, source in enumerate(sources):
        drawn = [unit_figure(data, n, source, 100 * k + i) for i, n in enumerate(names)]
        units.append((source, unit_table(data, source), [f for f in drawn if f]))
    scored = sum(cell.score is not None for cell in data.cells)
    return {
        "data": data,
        "headline": headline_numbers(data),
        "scored": scored,
        "total": len(data.cells),
        "actors": sorted({c.spec.actor.number for c in data.cells}),
        "datasets": sorted({c.spec.dataset for c in data.cells}),
        "thesis_split": any(c.spec.split is Split.THESIS for c in data.cells),
        "variants": [(n, is_control(data, n), cells_of(data, n)) for n in names],
        "overview": overview_table(data, sources[0] if sources else None),
        "scatter": scatter_figure(data, sources[0] if sources else None),
        "boxes": sorted(figures, key=lambda figure: figure.wide),
        "actor_tables": [actor_table(data, name) for name in names],
        "units": units,
        "scales": _scales(data, sources),
        "checks": control_checks(data),
        "failures": failure_table(data),
        "references": reference_rows(data),
        "provenance": provenance_table(data),
        "hosts": host_lines(data),
        "threshold": threshold_of(data),
        "not_detected_fta": NOT_DETECTED_FTA,
        "identity": next((c.score.identity for c in data.cells if c.score), None),
    }


def _scales(data: ReportData, sources: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for source in sources:
        for cell in data.cells:
            scores = attributes(cell, source)
            if scores:
                found[source] = scores.scale
                break
    return found


def figure_json(figure: Figure) -> Markup:
    """A figure as JSON that is safe inside a script element: ``<``, ``>`` and ``&`` are escaped."""
    content = {"data": figure.traces, "layout": figure.layout}
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _hash_source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _text(name: str) -> str:
    return (importlib.resources.files("reports") / "templates" / name).read_text("utf-8")


@cache
def _plotly_js() -> str:
    """Plotly's own bundle out of its Python package; newlines as the HTML parser reads them."""
    path = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
    text = path.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"</(script)", r"<\\/\1", text, flags=re.IGNORECASE)
