"""Checks of what must be there before hours are spent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.controls import NOOP
from adapters.dfaker import DFAKER
from harness.core.errors import UnfitMachineError, UnusableInputError
from harness.execution.lanes import local_runtimes
from harness.execution.preflight import cell_bytes, check_donors, check_space
from harness.execution.resolve import find_images
from harness.model.cell import CellSpec
from harness.model.dataset import Clip, Dataset, Donor, MediaRef, Part, PreparedActor, Sex, Split
from harness.model.suite import PlannedCell
from harness.model.tool import Tool
from harness.model.video import VideoInfo
from harness.tools.engine import EngineInfo, require_space
from harness.tools.runtime.container import ContainerRuntime
from harness.tools.runtime.container_gpu import Gpu


def _video(frames: int) -> MediaRef:
    info = VideoInfo(
        frames=frames,
        width=1280,
        height=720,
        fps="30/1",
        duration_s=frames / 30,
        codec="h264",
        pixel_format="yuv420p",
        has_audio=False,
    )
    return MediaRef(sha256=f"{frames:064d}", suffix=".mp4", info=info)


def _cell(tool: str, frames: int) -> CellSpec:
    actor = PreparedActor(
        number=1,
        sex=Sex.MALE,
        split=Split.HELD_OUT,
        training=_video(frames),
        test=_video(1000),
        reference=MediaRef(sha256="0" * 64, suffix=".png"),
        reference_note="",
    )
    return CellSpec(
        tool=tool,
        version="1",
        config="default",
        settings={},
        dataset="d",
        split=Split.HELD_OUT,
        actor=actor,
    )


def test_a_tool_that_trains_needs_room_for_models_and_for_every_frame() -> None:
    plain = cell_bytes(_cell("noop", 5000), NOOP)
    short, long = (cell_bytes(_cell("dfaker", frames), DFAKER) for frames in (5000, 10000))
    assert plain < 1 << 30
    assert short > 4 << 30
    assert long - short == 5000 * 1280 * 720 * 2


def test_a_disk_without_room_for_the_cells_is_known_before_they_run(tmp_path: Path) -> None:
    spec = _cell("dfaker", 100_000_000)
    with pytest.raises(UnfitMachineError, match="too full for 1 cell:"):
        check_space([spec], {"dfaker": DFAKER}, tmp_path)


def test_a_small_disk_is_told_in_units_that_show_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5 << 20))
    with pytest.raises(UnfitMachineError, match="about 40 MiB are needed, 5 MiB are free"):
        require_space(tmp_path, 40 << 20, "this run")


SMALL = Gpu(uuid="GPU-1", name="MX150", memory_bytes=2 << 30, free_bytes=2 << 30, driver="535")


class _Connected:
    """Stands in for an engine that can hand out GPUs, and that nothing may be built with."""

    info = EngineInfo(kind="docker", version="27", socket="/s", nvidia=True)

    def __enter__(self) -> _Connected:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _planned() -> PlannedCell:
    return PlannedCell(
        tool="dfaker", version="df", config="default", settings={}, actor=1, donor=None
    )


def test_a_gpu_that_is_too_small_is_known_before_an_image_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build(engine: object, tool: Tool, version: str, **more: object) -> object:
        built.append(tool.name)
        raise UnfitMachineError("no registry")

    monkeypatch.setattr("harness.tools.engine.connect", _Connected)
    monkeypatch.setattr("harness.tools.images.ensure.ensure_image", build)
    monkeypatch.setattr("harness.tools.runtime.container.query_gpus", lambda: (SMALL,))
    tools = {"dfaker": DFAKER}
    with pytest.raises(UnfitMachineError, match=r"MX150, has 2\.0 GiB") as refused:
        find_images([_planned()], tools, tmp_path, print)
    assert built == []
    assert "`--cpu`" in (refused.value.hint or "")
    with pytest.raises(UnfitMachineError, match="no registry"):
        find_images([_planned()], tools, tmp_path, print, cpu=True)
    assert built == ["dfaker"]


def test_without_gpu_a_tool_that_can_do_without_gets_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = SMALL.model_copy(update={"memory_bytes": 24 << 30})
    monkeypatch.setattr("harness.tools.runtime.container.query_gpus", lambda: (big,))
    for cpu in (False, True):
        runtime = local_runtimes(tmp_path, 1, cpu=cpu)["container"]
        assert isinstance(runtime, ContainerRuntime)
        assert runtime.uses_gpu(DFAKER) is not cpu


def test_a_donor_without_video_is_known_before_an_image_is_built() -> None:
    clip = Clip(path=Path("/joe.mp4"), part=Part.TRAINING)
    donors = (Donor(name="photo", sex=Sex.MALE), Donor(name="film", sex=Sex.MALE, clips=(clip,)))
    dataset = Dataset(name="d", actors=(), donors=donors)
    photo, film = (_planned().model_copy(update={"donor": one.name}) for one in donors)
    with pytest.raises(UnusableInputError, match="dataset d has none of photo"):
        check_donors([photo], {"dfaker": DFAKER}, dataset)
    check_donors([photo, film], {"dfaker": DFAKER}, dataset)
    check_donors([photo.model_copy(update={"tool": "noop"})], {"noop": NOOP}, dataset)
