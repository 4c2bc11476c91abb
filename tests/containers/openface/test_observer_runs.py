"""OpenFace run by the harness over a video: its real driver, a stand-in of its program."""

from __future__ import annotations

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.openface import OPENFACE
from harness.cli.selection import Choice, study_from_options
from harness.core.errors import UsageError
from harness.core.hashing import file_sha256
from harness.core.signals import StoppedError
from harness.execution.lanes import Lanes
from harness.execution.pipeline import Goal, RunOptions, run_study, score_cells
from harness.execution.progress import ProgressReport, TimeEstimate
from harness.execution.requests import OutsideObserver, WorkContext, ignore
from harness.media.ffmpeg import ffmpeg_path
from harness.model.cell import Status
from harness.model.job import Limits, Role, Step
from harness.model.tool import ChildProcess, Tool
from harness.model.video import VideoRef
from harness.observe.openface import openface_path, read_openface
from harness.observe.outside_observers import ObserverOutcome, ObserverPlace, run_observer
from harness.tools.registry import find_observer, load_observers
from harness.tools.runtime.base import Control
from harness.tools.runtime.process import ProcessRuntime
from tests.containers.conftest import wait_for

# The same driver as in the image, started as a child process.
OBSERVER = OPENFACE.model_copy(
    update={"runs_as": ChildProcess(module="containers.openface.driver")}
)


class Bench:
    """A store, a video, and a runtime whose FeatureExtraction is the stand-in."""

    def __init__(self, home: Path, video: Path, program: Path) -> None:
        self.home, self.video, self.program = home, video, program
        self.sha256 = file_sha256(video)
        self.starts = home.parent / "starts"

    def place(self, digest: str = "sha256:a", **more: Any) -> ObserverPlace:
        wish = more.pop("wish", {})
        environment = {"OPENFACE": str(self.program), "STAND_IN": json.dumps(wish)}
        environment["BENCH_FFMPEG"] = str(ffmpeg_path())
        return ObserverPlace(self.home, ProcessRuntime(environment), digest, **more)

    def measure(self, tool: Tool = OBSERVER, **more: Any) -> ObserverOutcome:
        return run_observer(tool, VideoRef(self.video, self.sha256), self.place(**more))

    @property
    def runs(self) -> int:
        return len(self.starts.read_text().splitlines()) if self.starts.exists() else 0

    def files(self) -> set[str]:
        folder = openface_path(self.home, self.sha256).parent
        return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


@pytest.fixture
def bench(tmp_path: Path, small_videos: dict[Role, Path], program: Path) -> Bench:
    made = Bench(tmp_path / "home", small_videos[Role.TEST_VIDEO], program)
    # Each start is counted, before the stand-in begins.
    lines = program.read_text().splitlines()
    program.write_text(f'{lines[0]}\necho started >> "{made.starts}"\n{lines[1]}\n')
    return made


def test_a_video_is_measured_once_and_read_like_an_imported_file(bench: Bench) -> None:
    found = bench.measure(wish={"blind": [2]})
    assert (found.status, found.reused) == (Status.OK, False)
    assert found.path == openface_path(bench.home, bench.sha256)
    table = read_openface(found.path)
    assert len(table) == 12
    assert table.loc[1].isna().sum() == 17
    assert bench.files() == {"openface@2.2.csv"}, "no work in progress is left"
    found = bench.measure()
    assert (found.status, found.reused) == (Status.OK, True)
    assert bench.runs == 1


def test_of_two_that_want_a_video_one_measures(bench: Bench) -> None:
    with ThreadPoolExecutor(2) as both:
        tasks = [both.submit(bench.measure, wish={"slow_s": 0.2}) for _ in range(2)]
        found = [task.result() for task in tasks]
    assert [one.status for one in found] == [Status.OK] * 2
    assert sorted(one.reused for one in found) == [False, True]
    assert bench.runs == 1


def test_a_failure_is_told_with_its_log_and_not_repeated(bench: Bench) -> None:
    found = bench.measure(wish={"models": False})
    assert found.status is Status.TOOL_ERROR
    assert "models are missing or unreadable" in found.reason
    assert any("Could not load the landmark detector" in line for line in found.log_tail)
    assert found.log is not None
    assert "CEN patch experts" in found.log.read_text()
    assert found.path is None
    again = bench.measure()
    assert (again.status, again.reason, again.reused) == (found.status, found.reason, True)
    assert bench.runs == 1
    # Another image may do better.
    assert bench.measure(digest="sha256:b", wish={"models": False}).reused is False
    assert bench.measure(digest="sha256:c").status is Status.OK
    assert bench.files() == {"openface@2.2.csv"}, "the failure is forgotten"


@pytest.mark.parametrize(
    ("wish", "status", "text"),
    [
        ({"opens": False}, Status.TOOL_ERROR, "cannot read this video"),
        ({"lost_rows": 9}, Status.TOOL_ERROR, "exit 70"),
        ({"crash": 4}, Status.TOOL_ERROR, "another processor"),
        ({"crash": 11}, Status.TOOL_ERROR, "crashed in this video"),
    ],
)
def test_what_goes_wrong_in_the_tool_is_an_outcome(
    wish: dict[str, Any], status: Status, text: str, bench: Bench
) -> None:
    found = bench.measure(wish=wish)
    assert found.status is status
    assert text in found.reason
    assert not openface_path(bench.home, bench.sha256).exists()


def test_a_table_that_the_importer_refuses_is_bad_output(bench: Bench) -> None:
    script = Path(__file__).with_name("feature_extraction.py")
    worse = bench.home.parent / "worse.py"
    worse.write_text(script.read_text().replace("/ 10 if seen", "/ 2 if seen"))
    bench.program.write_text(bench.program.read_text().replace(str(script), str(worse)))
    found = bench.measure()
    assert found.status is Status.BAD_OUTPUT
    assert "intensities go from 0 to 5" in found.reason


def test_what_may_pass_is_tried_again_at_the_next_call(bench: Bench) -> None:
    assert bench.measure(wish={"crash": 9}).status is Status.INFRA_ERROR
    assert bench.measure().status is Status.OK


def test_a_measurement_that_takes_too_long_is_ended(bench: Bench) -> None:
    found = bench.measure(wish={"slow_s": 60}, limits=Limits(wall_s=0.5))
    assert found.status is Status.TIMEOUT
    assert bench.measure().reused


def test_a_stopped_measurement_is_no_failure(bench: Bench) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as other:
        first = other.submit(bench.measure, wish={"slow_s": 60}, control=Control(stop=stop))
        assert wait_for(bench.starts.exists)
        stop.set()
        with pytest.raises(StoppedError):
            first.result()
    assert bench.measure().status is Status.OK


def test_waiting_for_another_process_can_be_stopped(bench: Bench) -> None:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as other:
        first = other.submit(bench.measure, wish={"slow_s": 1.0})
        assert wait_for(bench.starts.exists)
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(StoppedError):
            bench.measure(control=Control(stop=stop))
        assert first.result().status is Status.OK


def test_work_of_a_killed_command_is_no_obstacle(bench: Bench) -> None:
    folder = openface_path(bench.home, bench.sha256).with_name(".openface@2.2.run.part")
    (folder / "out").mkdir(parents=True)
    (folder / "out" / "observation.csv").write_text("half")
    assert bench.measure().status is Status.OK
    assert bench.files() == {"openface@2.2.csv"}


def test_the_observer_is_found_by_its_entry_point() -> None:
    assert load_observers()["openface"] == OPENFACE
    assert find_observer("openface").steps == (Step.OBSERVE,)
    with pytest.raises(UsageError, match="Did you mean 'openface'"):
        find_observer("openfaec")


def test_an_observer_whose_output_nothing_reads_is_refused(bench: Bench) -> None:
    stranger = OBSERVER.model_copy(update={"name": "heartrate", "reader": ""})
    with pytest.raises(UsageError, match="no reader for what heartrate measures"):
        bench.measure(stranger)


@pytest.mark.clips
def test_scores_hold_the_observers_units_beside_the_embedded_ones(
    sample_home: Path, program: Path
) -> None:
    # What this observer finds must not be there for other tests.
    observations = sample_home / "observations"
    known = observations.resolve()
    observations.unlink()
    shutil.copytree(known, observations, ignore=shutil.ignore_patterns(".*"))
    choice = Choice(actor="3", dataset="sample", frames=4)
    study = study_from_options("noop", choice, sample_home, config="default", settings=[])
    specs = run_study(study, RunOptions(goal=Goal.RESULTS)).resolved.specs
    said: list[str] = []

    def sources(wish: dict[str, Any], digest: str) -> list[str]:
        environment = {"OPENFACE": str(program), "STAND_IN": json.dumps(wish)}
        environment["BENCH_FFMPEG"] = str(ffmpeg_path())
        context = WorkContext(sample_home, {"process": ProcessRuntime(environment)})
        observer = OutsideObserver(tool=OBSERVER, image_digest=digest)
        report = ProgressReport(TimeEstimate(1), said.append, ignore)
        with Lanes(1, context) as lanes:
            (outcome,) = score_cells(specs, study.protocol, lanes, report, [observer])
        assert outcome.score is not None
        return [one.source for one in outcome.score.attributes]

    embedded = sources({"opens": False}, "sha256:a")
    assert "openface" not in embedded
    assert any("openface: " in line and "cannot read this video" in line for line in said)
    both = sources({}, "sha256:b")
    assert [name for name in both if name not in embedded] == ["openface"]
