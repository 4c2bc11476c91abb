"""Each fault that the suite looks for is found, in an adapter that has it and no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.model.cell import Status
from harness.model.job import Limits, Role, Step
from harness.model.tool import (
    ChildProcess,
    Container,
    Deviation,
    KnownFailure,
    LogPattern,
    NamedConfig,
    SettingSpec,
    Tool,
)
from harness.tools.conformance.dockerfile import read_dockerfile
from harness.tools.conformance.driver import driver_findings
from harness.tools.conformance.finding import Finding, State
from harness.tools.conformance.suite import RECIPE, check_tool

LIMITS = Limits(wall_s=90000.0)
HOURS = SettingSpec(name="hours", default=1.0, minimum=0, maximum=99, help="How long.")
ITERATIONS = SettingSpec(name="iterations", default=9, minimum=0, maximum=99, help="How many.")
PROGRESS = LogPattern(
    step=Step.TRAIN,
    pattern=r"\[#(?P<done>\d+)\] Loss: (?P<loss_a>[\d.]+)",
    unit="iterations",
    example="[#12] Loss: 0.25",
)
FAILURE = KnownFailure(
    pattern="out of memory",
    status=Status.OOM,
    reason="Use a smaller model.",
    example="CUDA error: out of memory",
    source="a run",
)
SOUND = Tool(
    name="tiny-tool",
    summary="Trains.",
    homepage="https://example.org",
    licence="MIT",
    versions=("1", "2"),
    steps=(Step.TRAIN, Step.CONVERT),
    needs=(Role.TEST_VIDEO, Role.ACTOR_TRAINING),
    runs_as=ChildProcess(module="containers.embedded.noop"),
    settings=(HOURS, ITERATIONS),
    configs=(NamedConfig(name="default", limits=LIMITS),),
    progress=(PROGRESS,),
    failures=(FAILURE,),
)


def faults_of(tool: Tool, check: str) -> str:
    """The faults of one check, which must be the only one that finds any."""
    found = [one for one in check_tool(tool, drive=False) if one.state is State.FAULT]
    assert {one.check for one in found} == {check}, found
    return " ".join(one.text for one in found)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TOKEN=secret", "no variable's name"),
        ("TMPDIR", "set by bench"),
        ("", "no variable's name"),
    ],
)
def test_a_variable_that_cannot_be_passed_on_is_reported(name: str, told: str) -> None:
    runs_as = ChildProcess(module="containers.embedded.noop", environment=("MY_OWN", name))
    assert told in faults_of(SOUND.model_copy(update={"runs_as": runs_as}), "runs as")


def _setting(**changes: Any) -> dict[str, Any]:
    return {"settings": (HOURS, ITERATIONS.model_copy(update=changes))}


def _config(**changes: Any) -> dict[str, Any]:
    more = NamedConfig(name="thesis", **{"limits": LIMITS, **changes})
    return {"configs": (*SOUND.configs, more)}


def _progress(**changes: Any) -> dict[str, Any]:
    return {"progress": (PROGRESS.model_copy(update=changes),)}


def _failure(**changes: Any) -> dict[str, Any]:
    return {"failures": (FAILURE.model_copy(update=changes),)}


def test_a_sound_adapter_has_no_fault() -> None:
    assert {one.state for one in check_tool(SOUND, drive=False)} == {State.OK}


@pytest.mark.parametrize(
    ("change", "check", "text"),
    [
        ({"name": "Tiny_Tool"}, "names", "lower case"),
        ({"licence": " "}, "names", "licence is empty"),
        ({"control": True}, "names", "`expected` must say"),
        ({"versions": ("1", "1")}, "versions", "named twice"),
        ({"versions": ("",)}, "versions", "not empty"),
        ({"versions": ("a,b",)}, "versions", "'a,b'"),
        ({"steps": (Step.CONVERT, Step.TRAIN)}, "steps", "last step must be 'convert'"),
        ({"needs": (Role.ACTOR_TRAINING,)}, "steps", "nothing to convert"),
        ({"steps": (Step.OBSERVE,), "progress": ()}, "steps", "needs the input 'video'"),
        (
            {"steps": (Step.OBSERVE,), "needs": (Role.VIDEO,), "progress": ()},
            "steps",
            "its reader",
        ),
        ({"runs_as": ChildProcess(module="no.such.module")}, "runs as", "no module"),
        (_setting(help=""), "settings", "no help"),
        (_setting(maximum=None), "settings", "needs a minimum and a maximum"),
        (_setting(name="Number of moons"), "settings", "lower case"),
        (_setting(name="hours"), "settings", "declared twice"),
        ({"needs": (*SOUND.needs, Role.GALLERY)}, "gallery", "must name the setting"),
        ({"gallery_at_least": "iterations"}, "gallery", "does not ask for 'gallery'"),
        (
            {"needs": (*SOUND.needs, Role.GALLERY), "gallery_at_least": "hours"},
            "gallery",
            "no setting with a whole number",
        ),
        (_config(settings={"hours": 100.0}), "configs", "between 0 and 99"),
        (_config(settings={"moons": 1}), "configs", "unknown 'moons'"),
        (_config(versions=("3",)), "configs", "version 3"),
        ({"configs": _config()["configs"] * 2}, "configs", "Two configs are called"),
        (_config(settings={"hours": 12.0}, limits=Limits(wall_s=3600)), "limits", "12 hours"),
        (_config(settings={"hours": 0.0}, limits=None), "limits", "9 iterations"),
        (_config(settings={"hours": 0.0, "iterations": 0}), "limits", "no end"),
        (_config(limits=Limits(wall_s=90000, iterations=3)), "limits", "allow 3"),
        (_progress(example="nothing"), "progress", "does not match its own example"),
        (_progress(pattern=r"(?P<loss_a>\d)(?P<speed>\d)"), "progress", "the group speed"),
        (_progress(pattern=r"\[#\d+\]"), "progress", "reports nothing"),
        (_progress(pattern=r"(?P<done>\d*)"), "progress", "matches an empty line"),
        (_progress(step=Step.EXTRACT), "progress", "does not have"),
        (_progress(example="[#12] Loss: 1.2.3"), "progress", "no finite number"),
        (_failure(example="all well"), "failures", "not matched by its own pattern"),
        (_failure(pattern="Loss|memory"), "failures", "matches ordinary progress"),
        (_failure(status=Status.OK), "failures", "no failure"),
        (_failure(source=""), "failures", "known from"),
        (
            {"failures": (FAILURE.model_copy(update={"pattern": "CUDA", "reason": "x"}), FAILURE)},
            "failures",
            "taken for an earlier one",
        ),
    ],
)
def test_each_fault_of_a_description_is_reported(
    change: dict[str, Any], check: str, text: str
) -> None:
    assert text in faults_of(SOUND.model_copy(update=change), check)


@pytest.mark.parametrize("default", [-1, 100])
def test_a_default_out_of_its_own_bounds_is_told(default: int) -> None:
    found = check_tool(SOUND.model_copy(update=_setting(default=default)), drive=False)
    assert any("between 0 and 99" in one.text for one in found if one.check == "settings")


def test_a_deviation_that_leaves_something_open_is_told() -> None:
    one = Deviation(claim="Adam", upstream="RMSprop", applied=" ", reason="-")
    change = _config(deviations=(one,))
    assert "nothing as applied, reason" in faults_of(SOUND.model_copy(update=change), "deviations")


DOCKERFILE = """
FROM base AS build
COPY requirements.txt /tmp/
USER root
FROM base
COPY --from=build /opt /opt
RUN python3 record.py /opt/bench/upstream.json
COPY common/bench_driver.py \\
    driver.py helper.py /opt/bench/
USER 65534:65534
ENTRYPOINT ["python3", "/opt/bench/driver.py"]
"""
DRIVER = """
import sys
import bench_driver
import helper

def run(job):
    job.number("hours", 0, 99)
    job.number("iterations", 0, 99)
    job.input("test_video")

sys.exit(bench_driver.main(run, steps=("train", "convert")))
"""
Change = Callable[[Path], object]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A third party's recipe that is sound, to be spoilt."""
    folder = tmp_path / f"recipe_{tmp_path.name}".replace("-", "_")
    folder.mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = {"upstream": "https://example.org", "commit": "1", "base": "debian"}
    versions = {"versions": {"1": entry, "2": entry}}
    for name, text in {
        "Dockerfile": DOCKERFILE,
        "driver.py": DRIVER,
        "helper.py": "import json\n",
        "README.md": "# Licences\n",
        "requirements.txt": "",
        "versions.yaml": json.dumps(versions),
    }.items():
        (folder / name).write_text(text)
    return folder


def contained(recipe: Path) -> Tool:
    return SOUND.model_copy(update={"runs_as": Container(recipe=recipe.name)})


def _replace(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def _remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def test_a_sound_recipe_has_no_fault_and_its_driver_refuses_bad_jobs(recipe: Path) -> None:
    found = check_tool(contained(recipe))
    assert {one.state for one in found} == {State.OK}, found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_remove("Dockerfile"), "lacks its Dockerfile"),
        (_remove("versions.yaml"), "versions.yaml"),
        (_replace("versions.yaml", '"2"', '"3"'), "says nothing about 2"),
        (_remove("README.md"), "no README.md"),
        (_replace("README.md", "Licences", "Hello"), "nothing of licences"),
        (_replace("Dockerfile", "driver.py helper", "helper"), "does not COPY driver.py"),
        (_replace("Dockerfile", "upstream.json", "other.json"), "writes /opt/bench/upstream.json"),
        (_replace("Dockerfile", " helper.py", ""), "imports helper.py, which"),
        (_replace("Dockerfile", "common/bench_driver.py", ""), "imports common/bench_driver.py"),
        (_replace("Dockerfile", "USER 65534:65534", ""), "runs as root"),
        (_replace("Dockerfile", "ENTRYPOINT", "CMD"), "no ENTRYPOINT"),
        (_replace("helper.py", "json", "json\nif (n := 3): pass"), "no Python 3.6"),
        (_replace("helper.py", "import", "from __future__ import annotations\nimport"), "__future"),
    ],
)
def test_each_fault_of_a_recipe_is_reported(recipe: Path, change: Change, told: str) -> None:
    change(recipe)
    assert told in faults_of(contained(recipe), RECIPE.name)


def _driven(recipe: Path) -> tuple[Finding, ...]:
    return driver_findings(contained(recipe))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_replace("driver.py", "sys.exit(bench_driver", "print(bench_driver"), "ends with 0, not"),
        (_replace("driver.py", 'steps=("train", "convert")', "steps=bench_driver.STEPS"), "lacks"),
        (
            _replace("driver.py", '    job.number("hours", 0, 99)\n', ""),
            "It takes 100.0 for 'hours'",
        ),
        (_replace("driver.py", 'job.number("hours"', "job.moons("), "names no setting"),
        (_replace("driver.py", "import helper", "sys.exit(64)"), "no sentence"),
        (_replace("driver.py", "import helper", "raise OSError('x')"), "ends with 1, not 64"),
    ],
)
def test_a_driver_that_does_not_refuse_is_reported(recipe: Path, change: Change, told: str) -> None:
    change(recipe)
    faults = " ".join(one.text for one in _driven(recipe) if one.state is State.FAULT)
    assert told in faults


def test_a_driver_that_checks_no_setting_is_told(recipe: Path) -> None:
    _replace("driver.py", 'job.number("hours", 0, 99)', "raise SystemExit(70)")(recipe)
    faults = [one.text for one in _driven(recipe) if one.state is State.FAULT]
    assert any("names no setting that is out of bounds" in text for text in faults), faults


def test_a_driver_that_needs_its_image_is_not_blamed(recipe: Path) -> None:
    _replace("driver.py", "import helper", "import no_such_module_here")(recipe)
    (found,) = _driven(recipe)
    assert found.state is State.SKIPPED
    assert "no_such_module_here" in found.text


def test_a_dockerfiles_last_stage_decides() -> None:
    image = read_dockerfile('FROM a\nCOPY x.py /\nFROM b\n# COPY y.py /\nCOPY ["a b.py", "/"]\n')
    assert image.copied == ("a b.py",)
    assert read_dockerfile("FROM a\nCOPY common/ *.py /o/").files(
        ["common/a.py", "driver.py", "notes.txt"]
    ) == ("common/a.py", "driver.py")
