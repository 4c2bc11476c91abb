"""The documented views over the results folder's JSON and Parquet, as SQL for DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A documented view. ``columns`` maps a name to its SQL over ``source`` and its type."""

    name: str
    help: str
    source: str
    columns: Mapping[str, tuple[str, str]]
    ends: str = ""
    """Text after the FROM clause."""

    def sql(self) -> str:
        """The statement that creates the view."""
        chosen = ", ".join(
            f'CAST({expression} AS {kind}) AS "{name}"'
            for name, (expression, kind) in self.columns.items()
        )
        return f'CREATE VIEW "{self.name}" AS SELECT {chosen} FROM {self.source} {self.ends}'


def _text(path: str, kind: str = "VARCHAR", of: str = "j") -> tuple[str, str]:
    return f"{of} ->> '$.{path}'", kind


_SPEC_COLUMNS = {
    "tool": _text("tool", of="s.j"),
    "version": _text("version", of="s.j"),
    "config": _text("config", of="s.j"),
    "dataset": _text("dataset", of="s.j"),
    "split": _text("split", of="s.j"),
    "actor": _text("actor.number", "INTEGER", of="s.j"),
    "sex": _text("actor.sex", of="s.j"),
    "donor": _text("donor.name", of="s.j"),
    "seed": _text("seed", "BIGINT", of="s.j"),
}


def _comparison_columns() -> dict[str, tuple[str, str]]:
    fields = ("mean", "sd", "median", "share_at_or_under_threshold")
    columns: dict[str, tuple[str, str]] = {}
    for name in ("or_or", "or_sw", "sw_or", "sw_sw"):
        at = f"identity.comparisons.{name}"
        for field in fields:
            short = "share_under" if field.startswith("share") else field
            columns[f"{name}_{short}"] = _text(f"{at}.{field}", "DOUBLE", of="c.j")
        used, asked = (f"CAST(c.j ->> '$.{at}.{key}' AS DOUBLE)" for key in ("used", "asked"))
        columns[f"{name}_fta"] = f"1 - {used} / nullif({asked}, 0)", "DOUBLE"
    return columns


def _utility_columns(at: str, prefix: str) -> dict[str, tuple[str, str]]:
    """Of one pair of videos; the units are in the names, but for gaze (rig weights) and landmarks
    (interocular distances).
    """
    paths = {
        "detection_rate": "detection_rate",
        "blinks": "blinks.original",
        "blink_precision": "blinks.precision",
        "blink_recall": "blinks.recall",
        "blink_f1": "blinks.f1",
        "mouth_openings": "mouth_openings.original",
        "mouth_opening_precision": "mouth_openings.precision",
        "mouth_opening_recall": "mouth_openings.recall",
        "mouth_opening_f1": "mouth_openings.f1",
        "head_pose_mean_deg": "head_pose.mean",
        "head_pose_p95_deg": "head_pose.p95",
        "gaze_mean": "gaze.mean",
        "gaze_p95": "gaze.p95",
        "landmarks_nme": "landmarks.mean",
        "landmarks_nme_p95": "landmarks.p95",
    }
    return {
        f"{prefix}{name}": _text(f"{at}.{path}", "DOUBLE", of="c.j") for name, path in paths.items()
    }


def _leak_columns(at: str, of: str) -> dict[str, tuple[str, str]]:
    whole = ("asked", "used", "leaking", "longest_run_frames", "stretches_found")
    real = (
        "threshold",
        "share_of_asked",
        "share_of_used",
        "longest_run_s",
        "first_leak_s",
        "p01_l2",
    )
    return {
        "every_frame": _text(f"{at}.every_frame", "BOOLEAN", of=of),
        **{name: _text(f"{at}.{name}", "INTEGER", of=of) for name in whole},
        **{name: _text(f"{at}.{name}", "DOUBLE", of=of) for name in real},
    }


def _attack_columns(at: str, prefix: str) -> dict[str, tuple[str, str]]:
    """Of one kind of video."""
    paths = {
        "rank_1": "rank_1.rate",
        "rank_1_low": "rank_1.low",
        "rank_1_high": "rank_1.high",
        "chance": "chance",
        "rank_1_corrected": "rank_1_corrected",
        "auc": "auc.rate",
        "eer": "eer",
        "linkability": "linkability",
        "match_rate": "match_rate.rate",
        "false_match_rate": "false_match_rate",
    }
    counts = {
        "probes": "probes",
        "probes_asked": "asked",
        "probes_tracker": "tracker_probes",
        "probes_second_detector": "second_detector_probes",
        "identified": "identified",
    }
    return {
        **{f"{prefix}{name}": _text(f"{at}.{path}", "INTEGER") for name, path in counts.items()},
        **{f"{prefix}{name}": _text(f"{at}.{path}", "DOUBLE") for name, path in paths.items()},
    }


_NULLS = {
    "advantage": "swapped.advantage",
    "null_mean": "null.mean",
    "null_high": "null.high",
    "null_p": "null.p",
    "best_null_p": "best_null.p",
    "linkability_low": "swapped.linkability_low",
    "linkability_high": "swapped.linkability_high",
    "linkability_null_mean": "linkability_null.mean",
    "linkability_null_high": "linkability_null.high",
}

_QUALITY_PATHS = {
    "warping_ratio": "warping.ratio",
    "sharpness_ratio": "warping.sharpness_ratio",
    "warping_detail_fair_ratio": "warping.detail_fair_ratio",
    "flicker_added": "flicker.added",
    "flicker_original": "flicker.original",
    "identity_jitter_ratio": "identity_jitter.ratio",
    "landmark_jitter_ratio": "landmark_jitter.ratio",
    "gap_frames": "gaps.frames",
    "gaps": "gaps.count",
    "longest_gap_s": "gaps.longest_s",
    "background_ssim": "background.ssim",
    "background_psnr_db": "background.psnr_db",
}
_SCORE_SOURCE = (
    "json_scores c LEFT JOIN json_cells s ON s.folder_id = left(c.j ->> '$.cell_id', 12)"
)
_FIRST_ATTRIBUTES = "attributes[0]"

VIEWS = (
    View(
        "cells",
        "one row per cell: what was asked; status is 'ok' when it has a result; earlier says why a "
        "cell that `--earlier` adds is one",
        "json_cells s LEFT JOIN json_results r ON r.folder = s.folder LEFT JOIN "
        "(SELECT folder, count(*) AS tries, arg_max(j ->> '$.status', "
        "CAST(j ->> '$.number' AS INTEGER)) AS last FROM json_attempts GROUP BY folder) a "
        "ON a.folder = s.folder",
        {
            "cell": ("s.folder", "VARCHAR"),
            **_SPEC_COLUMNS,
            "settings": ("s.j -> '$.settings'", "JSON"),
            "status": ("if(r.j IS NOT NULL, 'ok', coalesce(a.last, 'planned'))", "VARCHAR"),
            "attempts": ("coalesce(a.tries, 0)", "INTEGER"),
            "earlier": (
                "(SELECT any_value(e.why) FROM earlier_cells e "
                "WHERE right(s.folder, 12) = left(e.id, 12))",
                "VARCHAR",
            ),
        },
    ),
    View(
        "attempts",
        "one row per try, failed ones too; times are UTC",
        "json_attempts a",
        {
            "cell": ("a.folder", "VARCHAR"),
            "cell_id": _text("cell_id"),
            "number": _text("number", "INTEGER"),
            "uuid": _text("uuid"),
            "started_at": _text("started_at", "TIMESTAMP"),
            "ended_at": _text("ended_at", "TIMESTAMP"),
            "status": _text("status"),
            "reason": _text("reason"),
            "exit_code": _text("exit_code", "INTEGER"),
            "wall_s": _text("resources.wall_s", "DOUBLE"),
            "cpu_s": _text("resources.cpu_s", "DOUBLE"),
            "peak_memory_bytes": _text("resources.peak_memory_bytes", "BIGINT"),
            "host_cpu": _text("host.cpu"),
            "bench_version": _text("host.bench_version"),
        },
    ),
    View(
        "results",
        "one row per published video",
        "json_results r",
        {
            "cell": ("r.folder", "VARCHAR"),
            "cell_id": _text("cell_id"),
            "attempt": _text("attempt"),
            "swapped_path": _text("swapped.path"),
            "swapped_sha256": _text("swapped.sha256"),
            "swapped_bytes": _text("swapped.size_bytes", "BIGINT"),
            "frames": _text("steps[#-1].frames", "INTEGER"),
            "frames_without_face": _text("steps[#-1].frames_without_face", "INTEGER"),
        },
    ),
    View(
        "scores",
        "one row per cell and protocol: distances (L2) of the four comparisons, FTA, mean PCC",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            "aligned": _text("alignment.aligned", "BOOLEAN", of="c.j"),
            **_comparison_columns(),
            "attribute_source": _text(f"{_FIRST_ATTRIBUTES}.source", of="c.j"),
            "mean_pcc": _text(f"{_FIRST_ATTRIBUTES}.mean_pcc", "DOUBLE", of="c.j"),
            "mean_rmse": _text(f"{_FIRST_ATTRIBUTES}.mean_rmse", "DOUBLE", of="c.j"),
            "mean_ccc": _text(f"{_FIRST_ATTRIBUTES}.mean_ccc", "DOUBLE", of="c.j"),
        },
    ),
    View(
        "score_units",
        "one row per cell, protocol, attribute source and action unit",
        f"(SELECT c.j AS whole, a.value AS source, u.value AS j, s.j AS spec, s.folder AS folder "
        f"FROM {_SCORE_SOURCE}, json_each(c.j, '$.attributes') a, "
        f"json_each(a.value, '$.units') u)",
        {
            "cell": ("folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="whole"),
            "protocol": _text("protocol", of="whole"),
            "tool": _text("tool", of="spec"),
            "version": _text("version", of="spec"),
            "config": _text("config", of="spec"),
            "actor": _text("actor.number", "INTEGER", of="spec"),
            "donor": _text("donor.name", of="spec"),
            "source": _text("source", of="source"),
            "scale": _text("scale", of="source"),
            "unit": _text("unit"),
            "measurable": _text("measurable", "BOOLEAN"),
            "reason": _text("reason"),
            "pcc": _text("pcc", "DOUBLE"),
            "rmse": _text("rmse", "DOUBLE"),
            "nrmse": _text("nrmse", "DOUBLE"),
            **{
                name: _text(name, "DOUBLE")
                for name in (
                    "ccc",
                    "slope",
                    "rmse_neutral",
                    "lag_s",
                    "lag_pcc",
                    "floor_pcc",
                    "floor_rmse",
                )
            },
            "lag_frames": _text("lag_frames", "INTEGER"),
        },
    ),
    View(
        "leaks",
        "one row per cell and protocol: when and how long the swapped video shows the actor, at "
        "the protocol's threshold; NULL in scores of an older version",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            **_leak_columns("leaks", of="c.j"),
        },
    ),
    View(
        "leak_stretches",
        "one row per cell, protocol and stretch of leaking frames (the longest ones)",
        f"(SELECT c.j AS whole, l.value AS j, s.j AS spec, s.folder AS folder "
        f"FROM {_SCORE_SOURCE}, json_each(c.j, '$.leaks.stretches') l)",
        {
            "cell": ("folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="whole"),
            "protocol": _text("protocol", of="whole"),
            "tool": _text("tool", of="spec"),
            "actor": _text("actor.number", "INTEGER", of="spec"),
            "first_frame": _text("first_frame", "INTEGER"),
            "last_frame": _text("last_frame", "INTEGER"),
            "stretch_frames": _text("frames", "INTEGER"),
            **{name: _text(name, "DOUBLE") for name in ("start_s", "duration_s", "minimum_l2")},
        },
    ),
    View(
        "cohorts",
        "one row per cohort (cells alike but for actor and donor), protocol and attacker; rates "
        "are means over actors, control_ is the same attack on the originals",
        "(SELECT c.j AS whole, CAST(a.key AS INTEGER) AS place, a.value AS j "
        "FROM json_cohorts c, json_each(c.j, '$.attacks') a)",
        {
            **{
                name: _text(name, of="whole")
                for name in ("key", "protocol", "label", "tool", "version", "config", "dataset")
            },
            "actors": ("json_array_length(whole, '$.actors')", "INTEGER"),
            "impostor_pairs": _text("impostor_pairs", "INTEGER", of="whole"),
            "place": ("place", "INTEGER"),
            "attacker": _text("attacker"),
            "compared_by": _text("source"),
            "worst": ("coalesce(place = CAST(whole ->> '$.worst' AS INTEGER), false)", "BOOLEAN"),
            "reason": _text("reason"),
            **{name: _text(path, "DOUBLE") for name, path in _NULLS.items()},
            **_attack_columns("swapped", ""),
            **_attack_columns("control", "control_"),
        },
    ),
    View(
        "utility",
        "one row per cell and protocol: detection, events, head pose, gaze, landmarks; floor_ is "
        "the original against its own re-encoding",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            "source": _text("utility.source", of="c.j"),
            **_utility_columns("utility.kept", ""),
            **_utility_columns("utility.floor", "floor_"),
        },
    ),
    View(
        "quality",
        "one row per cell and protocol: steadiness with sharpness, flicker, jitter, gaps, "
        "background; ratios are swapped over original, read warping_ratio with sharpness_ratio",
        _SCORE_SOURCE,
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": _text("cell_id", of="c.j"),
            "protocol": _text("protocol", of="c.j"),
            **_SPEC_COLUMNS,
            "reason": _text("quality.reason", of="c.j"),
            "steadiness": _text("quality.warping.verdict", of="c.j"),
            **{
                name: _text(f"quality.{path}", "DOUBLE", of="c.j")
                for name, path in _QUALITY_PATHS.items()
            },
        },
    ),
    View(
        "frames",
        "one row per cell, protocol and sampled frame: distances (L2) and faces found",
        "frame_files f LEFT JOIN json_cells s "
        "ON s.folder_id = left(parse_filename(parse_dirpath(f.filename)), 12)",
        {
            "cell": ("s.folder", "VARCHAR"),
            "cell_id": ("parse_filename(parse_dirpath(f.filename))", "VARCHAR"),
            "protocol": (
                "regexp_replace(parse_filename(f.filename), '-frames[.]parquet$', '')",
                "VARCHAR",
            ),
            "tool": _text("tool", of="s.j"),
            "actor": _text("actor.number", "INTEGER", of="s.j"),
            "frame": ("f.frame", "INTEGER"),
            **{name: (f"f.{name}", "DOUBLE") for name in ("or_or", "or_sw", "sw_or", "sw_sw")},
            "faces_original": ("f.faces_original", "INTEGER"),
            "faces_swapped": ("f.faces_swapped", "INTEGER"),
        },
    ),
)
