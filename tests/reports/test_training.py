"""Previews of trainings, and settings that differ from the study, in the page."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from harness.core.hashing import file_sha256
from harness.model.cell import Artifact
from harness.model.tool import ChildProcess, Deviation, NamedConfig, Tool
from reports.build import page
from reports.evidence import Rung
from reports.model import ConfigDeviations, ReportData, TrainingPicture
from reports.training import MOST_PREVIEWS, choose_evenly, training_pictures, used_deviations

from .conftest import Maker

DEVIATION = Deviation(
    claim="The latent vector is <2048>-dimensional.",
    upstream="It ends at 1024.",
    applied="1024.",
    reason="It is the largest that exists.",
)


def _artifacts(folder: Path, count: int) -> list[Artifact]:
    """Previews as wide sheets of noise, which compress badly."""
    rng = np.random.default_rng(1)
    found = []
    for number in range(1, count + 1):
        path = folder / f"{1000 * number:08d}.jpg"
        cv2.imwrite(str(path), rng.integers(0, 255, (256, 1280, 3)).astype(np.uint8))
        found.append(
            Artifact(path=path.name, sha256=file_sha256(path), size_bytes=path.stat().st_size)
        )
    return found


def _trained(data: ReportData, pictures: tuple[TrainingPicture, ...]) -> ReportData:
    cells = [
        cell.model_copy(update={"previews": pictures, "previews_kept": 9})
        if cell.spec.tool == "landmark-swap"
        else cell
        for cell in data.cells
    ]
    return data.model_copy(update={"cells": tuple(cells)})


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 69, 347])
def test_previews_are_chosen_evenly_with_both_ends(tmp_path: Path, count: int) -> None:
    all_of_them = [Artifact(path=f"{n:08d}.jpg", sha256="", size_bytes=1) for n in range(count)]
    chosen = choose_evenly(all_of_them)
    assert len(chosen) == min(count, MOST_PREVIEWS)
    if count:
        assert (chosen[0], chosen[-1]) == (all_of_them[0], all_of_them[-1])
    numbers = [int(one.path[:8]) for one in chosen]
    gaps = np.diff(numbers)
    assert not gaps.size or gaps.max() - gaps.min() <= 1


def test_a_preview_that_is_gone_or_broken_is_left_out(tmp_path: Path) -> None:
    artifacts = _artifacts(tmp_path, 3)
    (tmp_path / artifacts[0].path).unlink()
    (tmp_path / artifacts[1].path).write_bytes(b"no picture")
    found = training_pictures(tmp_path, artifacts, Rung(images=1))
    assert [one.iteration for one in found] == [3000]


def test_every_preview_keeps_to_its_share_of_the_page(tmp_path: Path, make_data: Maker) -> None:
    rung = Rung(images=24 * 4 * 6 + 24 * 6)
    pictures = training_pictures(tmp_path, _artifacts(tmp_path, 9), rung)
    assert len(pictures) == MOST_PREVIEWS
    assert max(len(one.picture) for one in pictures) <= rung.limit_bytes
    assert len(page(_trained(make_data(), pictures)).encode()) < 8_000_000


def test_the_page_shows_the_previews_of_each_training_by_iteration(
    tmp_path: Path, make_data: Maker
) -> None:
    pictures = training_pictures(tmp_path, _artifacts(tmp_path, 9), Rung(images=30))
    html = page(_trained(make_data(actors=2), pictures))
    section = html[html.index('<section id="training"') : html.index('<section id="controls"')]
    assert section.count("<img ") == 2 * MOST_PREVIEWS
    assert "iteration 1,000<" in section
    assert "iteration 9,000<" in section
    assert "6 of 9 previews in the store" in section
    assert 'href="#training"' in html


def test_the_page_shows_each_deviation_of_a_config_as_text(make_data: Maker) -> None:
    used = ConfigDeviations(tool="dfaker", config="thesis", deviations=(DEVIATION,))
    html = page(make_data(actors=1).model_copy(update={"deviations": (used,)}))
    section = html[html.index('<section id="deviations"') : html.index('<section id="glance"')]
    assert "dfaker, config thesis" in section
    assert "The latent vector is &lt;2048&gt;-dimensional." in section
    for text in (DEVIATION.upstream, DEVIATION.applied, DEVIATION.reason):
        assert text in section


def test_without_trainings_and_deviations_the_page_has_no_empty_sections(make_data: Maker) -> None:
    html = page(make_data(actors=1))
    anchors = set(re.findall(r"<nav.*?</nav>", html, re.DOTALL)[0].split('href="#')[1:])
    linked = {text.split('"')[0] for text in anchors}
    assert linked == set(re.findall(r'<section id="(\w+)"', html))
    assert not linked & {"training", "deviations"}


def test_only_configs_that_were_used_bring_their_deviations(make_data: Maker) -> None:
    specs = [cell.spec for cell in make_data(actors=2).cells]
    thesis = [spec.model_copy(update={"config": "thesis"}) for spec in specs]
    tool = Tool(
        name="blur",
        summary="s",
        homepage="h",
        licence="l",
        versions=("1",),
        runs_as=ChildProcess(module="m"),
        configs=(
            NamedConfig(name="default"),
            NamedConfig(name="thesis", deviations=(DEVIATION,)),
        ),
    )
    assert used_deviations(specs, {"blur": tool}) == ()
    (used,) = used_deviations(thesis, {"blur": tool})
    assert (used.tool, used.config, used.deviations) == ("blur", "thesis", (DEVIATION,))
