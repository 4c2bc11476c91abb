"""History pages of a site: every metric of a tool over the nights, with its steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.hashing import content_hash
from harness.model.nightly import Alarm, NightRecord
from harness.results.nightly.series import Series, history_series
from harness.store.nights import NightStore
from reports.aggregate import fmt
from reports.plot import PALETTE, Figure, axis, plot_text
from reports.site.model import Entry, ExtraPage, Site
from reports.site.paths import plain
from reports.tables import Table, TableCell

SECTION = "History"


def history_pages(home: Path, site: Site) -> list[ExtraPage]:
    """A page for each config and metric of a tool and dataset of the site that has nights.

    The alarms of a tool are in the feed once, with the page of the first metric that regressed.
    """
    shown = {(cell.spec.tool, cell.spec.dataset) for cell in site.report.cells}
    records = [one for one in NightStore(home).records() if (one.tool, one.dataset) in shown]
    return [_page(series, records) for series in history_series(records)]


def _page(series: Series, records: Sequence[NightRecord]) -> ExtraPage:
    name = _name(series)
    line = [series.suite, series.dataset, series.tool, series.config]
    digest = content_hash([*line, series.protocol, series.key, series.source])[:8]
    path = f"history/{plain(name)}-{digest}.html"
    return ExtraPage(
        path=path,
        section=SECTION,
        title=name,
        lead=_lead(series),
        blocks=(_figure(series), _table(series)),
        entries=tuple(_alarms(series, records, path)),
    )


def _name(series: Series) -> str:
    line = f"{series.tool}:{series.config} on {series.dataset}, {series.suite}"
    return f"{line}: {_metric(series)}"


def _metric(series: Series) -> str:
    return f"{series.title} ({series.source})" if series.source else series.title


def _lead(series: Series) -> str:
    last = series.points[-1]
    better = "higher" if series.higher_is_better else "lower"
    nights = f"{len(series.points)} night{'s' if len(series.points) != 1 else ''}"
    steps = [
        f"from {fmt(s.before)} to {fmt(s.after)} on {s.night} with version {s.version}"
        f" ({'worse' if s.worse else 'better'})"
        for s in series.steps
    ]
    told = f"It stepped {'; '.join(steps)}." if steps else "No step is seen."
    return f"{fmt(last.mean)} in the last of {nights}; {better} is better. {told}"


def _figure(series: Series) -> Figure:
    nights = [p.night for p in series.points]
    up = [None if p.high is None else p.high - p.mean for p in series.points]
    down = [None if p.low is None else p.mean - p.low for p in series.points]
    points = {
        "type": "scatter",
        "mode": "markers",
        "name": "mean over actors",
        "x": nights,
        "y": [p.mean for p in series.points],
        "text": [plot_text(f"{p.version}, n = {p.n}") for p in series.points],
        "hovertemplate": "%{x}: %{y:.3f}<br>%{text}<extra></extra>",
        "marker": {"color": PALETTE[0], "size": 8},
        "error_y": {"type": "data", "array": up, "arrayminus": down, "thickness": 1.2, "width": 3},
    }
    levels = {
        "type": "scatter",
        "mode": "lines",
        "name": "level",
        "x": [nights[k] for s in series.segments for k in range(s.start, s.end + 1)],
        "y": [s.level for s in series.segments for _ in range(s.start, s.end + 1)],
        "line": {"color": PALETTE[1], "width": 2, "shape": "hvh"},
        "hoverinfo": "skip",
    }
    return Figure(
        id=f"history-{plain(_name(series)).lower().replace('.', '-')}",
        title=_metric(series),
        caption="Means over actors with Student's 95 % intervals, night by night, and the levels "
        "of the step fit. Intervals are over actors: nights of one version share them.",
        alt=_lead(series),
        traces=(points, levels),
        layout={
            "xaxis": axis("Night", type="category"),
            "yaxis": axis(plot_text(_metric(series))),
            "showlegend": False,
        },
        key=((PALETTE[0], "mean over actors"), (PALETTE[1], "level")),
    )


def _table(series: Series) -> Table:
    rows = tuple(
        (
            TableCell(text=p.night, sort=p.night),
            TableCell(text=p.version, sort=p.version),
            TableCell(text=str(p.n), sort=p.n, look="number"),
            *(_number(value) for value in (p.mean, p.low, p.high)),
            _number(p.run_sd, 4),
        )
        for p in series.points
    )
    columns = ("Night", "Version", "Actors", "Mean", "Low", "High", "Run-to-run sd")
    return Table(title="Night by night", columns=columns, rows=rows)


def _number(value: float | None, digits: int = 3) -> TableCell:
    if value is None:
        return TableCell(text=fmt(None), look="muted")
    return TableCell(text=fmt(value, digits), sort=value, look="number")


def _alarms(series: Series, records: Sequence[NightRecord], path: str) -> list[Entry]:
    """The alarms that are on this metric's page, each on its first night."""
    own = f"{series.key}:{series.source}" if series.source else series.key
    first: dict[str, NightRecord] = {}
    for one in sorted(records, key=lambda record: record.night):
        line = (one.suite, one.dataset, one.tool, one.config)
        same = line == (series.suite, series.dataset, series.tool, series.config)
        if same and one.alarm is Alarm.CONFIRMED:
            first.setdefault(one.alarm_id, one)
    # Chosen among all protocols, so that an alarm that outlives a change of one is told once.
    return [
        Entry(
            title=f"{one.what} regressed against {one.good_version}",
            summary=one.reason,
            href=path,
            updated_at=f"{one.night}T00:00:00Z",
            content=f"alarm {identifier}",
        )
        for identifier, one in first.items()
        if own == _page_of(one) and one.protocol == series.protocol
    ]


def _page_of(record: NightRecord) -> str:
    """The metric on whose page an alarm is: the first that regressed and that nights follow."""
    followed = [f"{m.key}:{m.source}" if m.source else m.key for m in record.metrics]
    return min(set(record.alarmed) & set(followed), default=min(followed, default=""))
