from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from harness.core.errors import UsageError
from harness.core.host import Host
from harness.model.cell import Attempt, CellSpec, Resources, Result, Status
from harness.model.dataset import MediaRef, PreparedActor, Sex, Split
from harness.model.quality import Background, Gaps, Quality, Steadiness, Warping
from harness.model.score import (
    Attributes,
    CellScore,
    Comparison,
    Distances,
    Identity,
    SwappedReading,
    UnitScore,
)
from harness.model.utility import Difference, Events, Kept, Utility
from harness.store import query as queries
from harness.store.atomic import write_json
from harness.store.cells import CellStore
from harness.store.query import open_views, query
from harness.store.views import VIEWS
from tests.scores import aligned

MEDIA = MediaRef(sha256="0" * 64, suffix=".mp4")
SPEC = CellSpec(
    tool="blur",
    version="1",
    config="default",
    settings={"strength": 2},
    dataset="sample",
    split=Split.HELD_OUT,
    actor=PreparedActor(
        number=3,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=None,
        test=MEDIA,
        reference=MEDIA,
        reference_note="",
    ),
)
HOST = Host(
    system="L", machine="m", cpu="c", cores=2, memory_bytes=1, python="3", bench_version="0"
)


def record(home: Path, status: Status) -> Result | None:
    store = CellStore(home)
    with store.lock(SPEC):
        opened = store.begin(SPEC)
        attempt = Attempt(
            cell_id=SPEC.id,
            number=opened.number,
            uuid=opened.uuid,
            started_at=opened.started_at,
            ended_at=opened.started_at,
            status=status,
            reason="done",
            exit_code=0,
            log_tail=(),
            resources=Resources(wall_s=1.5, cpu_s=2.5, peak_memory_bytes=7),
            host=HOST,
        )
        if status is not Status.OK:
            store.finish(SPEC, attempt)
            return None
        video = opened.folder / "swapped.mp4"
        video.write_bytes(b"12345")
        return store.publish(SPEC, attempt, video, ())


def kept(pose_deg: float) -> Kept:
    none = Events(original=0, swapped=1, matched=0, tolerance_s=0.2, reason="no blink")
    blinks = Events(original=2, swapped=1, matched=1, tolerance_s=0.2, recall=0.5)
    return Kept(
        faces_original=4,
        faces_kept=3,
        detection_rate=0.75,
        blinks=blinks,
        mouth_openings=none,
        head_pose=Difference(unit="degrees", frames=3, mean=pose_deg),
        gaze=Difference(unit="rig weights", frames=0, reason="no face"),
    )


def add_score(home: Path) -> None:
    sw_or = Distances(asked=4, used=3, several_faces=0, mean=0.75)
    score = CellScore(
        cell_id=SPEC.id,
        protocol="thesis",
        inputs={},
        alignment=aligned(4),
        identity=Identity(
            recogniser="r",
            threshold=0.6,
            comparisons={Comparison.SWAPPED_ORIGINAL: sw_or},
            swapped_reading=SwappedReading.SWAPPED_FRAME,
            seed=1,
            frames=4,
        ),
        attributes=(
            Attributes(
                source="mediapipe-blendshapes",
                scale="0-1",
                frames=4,
                paired=3,
                units=(
                    UnitScore(
                        unit="AU12",
                        measurable=True,
                        pcc=0.5,
                        slope=0.8,
                        rmse_neutral=0.1,
                        lag_frames=-3,
                        lag_s=-0.12,
                        lag_pcc=0.9,
                        floor_pcc=0.99,
                        floor_rmse=0.01,
                    ),
                    UnitScore(unit="AU06", measurable=False, reason="dead"),
                ),
                mean_pcc=0.5,
                mean_rmse=None,
                mean_ccc=None,
            ),
        ),
        utility=Utility(
            source="mediapipe-blendshapes",
            kept=kept(pose_deg=3.5),
            floor=kept(pose_deg=0.5),
        ),
        quality=Quality(
            warping=Warping(
                pairs=20,
                original=2.0,
                swapped=1.0,
                ratio=0.5,
                sharpness_ratio=0.1,
                detail_fair_ratio=5.0,
                verdict=Steadiness.BLURRED,
            ),
            gaps=Gaps(frames=4, count=2, longest_frames=3, longest_s=0.12),
            background=Background(frames=9, ssim=0.99, psnr_db=41.0),
        ),
    )
    folder = home / "scores" / SPEC.id
    write_json(folder / "thesis.json", score)
    columns = ("or_or", "or_sw", "sw_or", "sw_sw")
    frame = {"frame": [0, 5], **{name: [0.1, None] for name in columns}}
    counts = {"faces_original": [1, 1], "faces_swapped": [1, 0]}
    pd.DataFrame(frame | counts).to_parquet(folder / "thesis-frames.parquet")


@pytest.fixture(params=["plain", "hôme 'x' y", "with [brackets]"])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return tmp_path / str(request.param)


def test_an_empty_store_has_every_view_with_its_columns_and_no_rows(home: Path) -> None:
    with open_views(home) as ask:
        for view in VIEWS:
            assert ask(f"SELECT * FROM {view.name}").rows == ()
            described = ask(f"DESCRIBE {view.name}").as_dicts()
            assert [row["column_name"] for row in described] == list(view.columns)


def test_failed_and_good_attempts_are_rows_and_a_cell_has_its_status(home: Path) -> None:
    record(home, Status.TOOL_ERROR)
    cells = "SELECT tool, actor, donor, status, attempts, settings->>'strength' AS s FROM cells"
    row = {"tool": "blur", "actor": 3, "donor": None, "attempts": 1, "s": "2"}
    assert query(home, cells) == [row | {"status": "tool_error"}]
    result = record(home, Status.OK)
    assert result is not None
    assert query(home, cells) == [row | {"status": "ok", "attempts": 2}]
    attempts = query(home, "SELECT number, status, wall_s, cell FROM attempts ORDER BY number")
    assert [(one["number"], one["status"]) for one in attempts] == [(1, "tool_error"), (2, "ok")]
    assert attempts[0]["wall_s"] == 1.5
    found = query(home, "SELECT cell, swapped_sha256, swapped_bytes FROM results")
    expected = {"cell": SPEC.slug, "swapped_sha256": result.swapped.sha256, "swapped_bytes": 5}
    assert found == [expected]


def test_scores_units_and_frames_join_their_cell(home: Path) -> None:
    record(home, Status.OK)
    add_score(home)
    columns = "cell, tool, protocol, sw_or_mean, sw_or_fta, or_or_mean, mean_pcc, aligned"
    assert query(home, f"SELECT {columns} FROM scores") == [
        {
            "cell": SPEC.slug,
            "tool": "blur",
            "protocol": "thesis",
            "sw_or_mean": 0.75,
            "sw_or_fta": 0.25,
            "or_or_mean": None,
            "mean_pcc": 0.5,
            "aligned": True,
        }
    ]
    units = query(home, "SELECT tool, source, unit, measurable, pcc FROM score_units ORDER BY unit")
    assert [(one["unit"], one["measurable"], one["pcc"]) for one in units] == [
        ("AU06", False, None),
        ("AU12", True, 0.5),
    ]
    extra = "slope, rmse_neutral, lag_frames, lag_s, lag_pcc, floor_pcc, floor_rmse"
    (moving,) = query(home, f"SELECT {extra} FROM score_units WHERE measurable")
    assert list(moving.values()) == [0.8, 0.1, -3, -0.12, 0.9, 0.99, 0.01]
    names = "detection_rate, blinks, blink_recall, mouth_opening_f1, gaze_mean, landmarks_nme"
    poses = "head_pose_mean_deg, floor_head_pose_mean_deg, floor_blinks"
    (utility,) = query(home, f"SELECT cell, {names}, {poses} FROM utility")
    assert list(utility.values()) == [SPEC.slug, 0.75, 2, 0.5, None, None, None, 3.5, 0.5, 2]
    names = "warping_ratio, sharpness_ratio, warping_detail_fair_ratio, steadiness, flicker_added"
    more = "gap_frames, gaps, longest_gap_s, background_ssim, background_psnr_db, reason"
    (quality,) = query(home, f"SELECT cell, {names}, {more} FROM quality")
    expected = [0.5, 0.1, 5.0, "softer than the original", None, 4, 2, 0.12, 0.99, 41.0, ""]
    assert list(quality.values()) == [SPEC.slug, *expected]
    frames = query(home, "SELECT cell, protocol, frame, sw_or, faces_swapped FROM frames")
    assert frames[1] == {
        "cell": SPEC.slug,
        "protocol": "thesis",
        "frame": 5,
        "sw_or": None,
        "faces_swapped": 0,
    }


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'file.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "",
        "SELEC 1",
        "SELECT nothing FROM cells",
        "SELECT * FROM read_text('/etc/hostname')",
    ],
)
def test_anything_but_one_select_over_the_views_is_refused_with_the_views(
    tmp_path: Path, sql: str
) -> None:
    with pytest.raises(UsageError, match="score_units"):
        query(tmp_path, sql)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (RuntimeError("Query interrupted"), KeyboardInterrupt),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), KeyboardInterrupt),
        (RuntimeError("Something else"), RuntimeError),
        (duckdb.BinderException("No such column"), UsageError),
    ],
)
def test_only_duckdbs_words_for_ctrl_c_are_an_interrupt(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    raised: Exception,
    expected: type[BaseException],
) -> None:
    def fetch(*_: object) -> None:
        raise raised

    monkeypatch.setattr(queries, "_fetch", fetch)
    with pytest.raises(expected):
        query(tmp_path, "SELECT 1")
