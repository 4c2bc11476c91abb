"""Every command the driver builds is accepted by parsers made of upstream's option tables."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest

from adapters.faceswap import FACESWAP
from containers.common.bench_driver import BadJobError, Job
from containers.faceswap import commands_v1, commands_v3, driver, settings
from harness.tools.configs import builtin_configs, with_config_files
from harness.tools.images.recipe import module_folder
from harness.tools.registry import resolve_settings
from tests.containers.faceswap.stand_in import options

MODULES = {"v1.0.0": commands_v1, "v3.0.0": commands_v3}
TOOL = with_config_files(FACESWAP, builtin_configs())


def _job(version: str, changed: Mapping[str, Any], step: str = "train") -> Job:
    return Job(
        {
            "step": step,
            "tool": "faceswap",
            "version": version,
            "inputs": {},
            "state": "/state",
            "out": "/out",
            "settings": {**resolve_settings(FACESWAP, "default", {}), **changed},
        }
    )


def _commands(version: str, job: Job) -> Iterator[list[str]]:
    """All command lines of a job."""
    build: ModuleType = MODULES[version]
    yield build.extract(settings.extraction(job), "/frames", "/faces", "/faces/alignments.fsa")
    yield build.sort("/faces", "/sorted")
    for gpu in (True, False):
        yield build.train(settings.training(job), "/a", "/b", "/model", 1000, gpu)
    for faces in ("", "/chosen"):
        asked = settings.conversion(job, 4)
        yield build.convert(asked, "/frames", "/done", "/faces/alignments.fsa", "/model", faces)


def _every(name: str) -> list[Any]:
    """Values of a setting that are worth a try: its choices, or its bounds."""
    spec = next(one for one in FACESWAP.settings if one.name == name)
    if spec.choices is not None:
        return list(spec.choices)
    if isinstance(spec.default, bool):
        return [False, True]
    return [value for value in (spec.minimum, spec.maximum) if value is not None]


OFFERED = [
    (version, spec.name, value)
    for version, spec in itertools.product(FACESWAP.versions, FACESWAP.settings)
    for value in _every(spec.name)
    if spec.name not in ("iterations", "hours")
]


def _fitting(name: str, value: Any) -> dict[str, Any]:
    """Other settings that a value needs to be allowed."""
    if name == "masker" and value == "none":
        return {"penalized_mask_loss": False}
    if name == "lowmem":
        return {"trainer": "villain"}
    if name in ("input_size", "autoencoder_dims"):
        return {"trainer": "unbalanced" if name == "input_size" else "dfl-sae"}
    return {}


@pytest.mark.parametrize("version", FACESWAP.versions)
def test_every_setting_gives_commands_that_upstream_takes(version: str) -> None:
    parser = options.parser(version)
    refused = []
    for _, name, value in (one for one in OFFERED if one[0] == version):
        whole = isinstance(next(s for s in FACESWAP.settings if s.name == name).default, int)
        fits = int(value) if whole and isinstance(value, float) else value
        job = _job(version, {name: fits, **_fitting(name, fits)})
        try:
            settings.check_version(job)
            lines = list(_commands(version, job))
        except BadJobError:
            refused.append(name)
            continue
        for words in lines:
            parser.parse_args(words)
    only_elsewhere = {
        "v1.0.0": {"re_feed", "adam_beta_1", "mixed_precision", "face_scale", "trainer"}
        | {"face_size", "batch_size"},
        "v3.0.0": {"memory_saving_gradients", "optimizer_savings", "face_size"},
    }
    assert set(refused) == only_elsewhere[version]


@pytest.mark.parametrize("config", TOOL.configs, ids=lambda config: config.name)
def test_every_config_gives_commands_that_its_versions_take(config: Any) -> None:
    for version in config.versions or TOOL.versions:
        values = resolve_settings(TOOL, config.name, {})
        job = _job(version, values)
        settings.check_version(job)
        settings.need_learned_mask(job)
        for words in _commands(version, job):
            options.parser(version).parse_args(words)


def test_the_words_mean_what_the_settings_say() -> None:
    changed = {"batch_size": 8, "trainer": "villain", "flip": False, "masker": "vgg-clear"}
    for version, build in MODULES.items():
        job = _job(version, {**changed, "color": "match-hist"})
        parser = options.parser(version)
        trained: argparse.Namespace = parser.parse_args(
            build.train(settings.training(job), "/a", "/b", "/model", 77, True)
        )
        assert (trained.input_A, trained.input_B, trained.iterations) == ("/a", "/b", 77)
        assert (trained.batch_size, trained.trainer, trained.no_flip) == (8, "villain", True)
        assert trained.snapshot_interval == 0
        assert not trained.preview, "a window needs a display"
        looked = parser.parse_args(
            build.extract(settings.extraction(job), "/frames", "/faces", "/faces/x.fsa")
        )
        assert (looked.input_dir, looked.output_dir) == ("/frames", "/faces")
        assert (looked.alignments, looked.masker) == ("/faces/x.fsa", ["vgg-clear"])
        assert looked.detector == "s3fd"
        put = parser.parse_args(
            build.convert(settings.conversion(job, 4), "/f", "/d", "/x.fsa", "/m", "")
        )
        assert (put.color_adjustment, put.mask_type, put.writer) == (
            "match-hist",
            "extended",
            "opencv",
        )
        assert put.jobs == 4
        assert not put.swap_model


@pytest.mark.parametrize("version", MODULES)
@pytest.mark.parametrize("trainer", ["original", "dfl-h128", "unbalanced", "villain"])
def test_trainers_with_a_smaller_variant_get_it(trainer: str, version: str) -> None:
    asked = settings.training(_job(version, {"trainer": trainer, "lowmem": True}))
    ini = MODULES[version].train_ini(asked)
    assert ini["model." + trainer.replace("-", "_")] == {"lowmem": "True"}


def test_the_build_looks_for_every_option_that_is_given_to_v3() -> None:
    changed = {"masker": "vgg-clear", "rotate": 90, "face_scale": 1.0, "preview_interval": 10}
    changed |= {"flip": False, "augment_color": False, "warp_to_landmarks": True}
    lines = (module_folder("containers.faceswap") / "expected-v3.txt").read_text().splitlines()
    for words in _commands("v3.0.0", _job("v3.0.0", changed)):
        where = "args_train" if words[0] == "train" else "args_extract_convert"
        # The sorter's options are its own, and are written otherwise.
        for flag in {word[:2] for word in words if word.startswith("-") and words[0] != "sort"}:
            text = f'lib/cli/{where}.py: ("{flag}", '
            assert any(line.startswith(text) for line in lines), text


def test_a_smaller_face_is_no_flag() -> None:
    job = _job("v3.0.0", {"face_scale": -5.5})
    words = commands_v3.convert(settings.conversion(job, 1), "/f", "/d", "/x.fsa", "/m", "")
    assert options.parser("v3.0.0").parse_args(words).face_scale == -5.5


def test_v3_is_never_told_to_go_without_its_log() -> None:
    words = commands_v3.train(settings.training(_job("v3.0.0", {})), "/a", "/b", "/m", 1, True)
    assert not options.parser("v3.0.0").parse_args(words).no_logs


@pytest.mark.parametrize(
    ("version", "changed", "text"),
    [
        ("v1.0.0", {"resolution": 256}, "villain: 128 pixels"),
        ("v3.0.0", {"regularization_rate": 1e-7}, "no regularisation rate"),
        ("v3.0.0", {"memory_saving_gradients": True}, "removed in Faceswap 2.0"),
        ("v3.0.0", {"optimizer_savings": True}, "removed in Faceswap 2.0"),
        ("v1.0.0", {"adam_beta_1": 0.9}, "fixed at 0.5"),
        ("v1.0.0", {"mixed_precision": True}, "no mixed precision"),
        ("v1.0.0", {"trainer": "phaze-a"}, "no trainer phaze-a"),
        ("v1.0.0", {"face_size": 1024}, "between 128 and 512"),
        ("v3.0.0", {"face_size": 500}, "multiple of 64"),
        ("v3.0.0", {"trainer": "villain", "input_size": 256}, "one size of its own"),
        ("v3.0.0", {"trainer": "dfl-sae", "input_size": 200}, "steps of 16"),
        (
            "v3.0.0",
            {"trainer": "dfaker", "lowmem": True},
            "villain, dfl-h128, unbalanced only",
        ),
        ("v3.0.0", {"masker": "none"}, "need a masker other than none"),
        ("v3.0.0", {"convert_mask": "predicted"}, "only when 'learn_mask'"),
        ("v3.0.0", {"coverage": 50.0}, "62.5 to 100"),
        ("v3.0.0", {"learning_rate": 1e-3}, "between 1e-06 and 0.0001"),
        ("v3.0.0", {"iterations": 0}, "needs an end"),
        ("v2.10.0", {}, "not v2.10.0"),
    ],
)
def test_what_upstream_has_not_is_refused_with_a_sentence(
    version: str, changed: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadJobError, match=text):
        driver.run(_job(version, changed, step="extract"))
