"""Measurements of pixels, on pictures made for it and against scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.observe.pair import spread
from harness.observe.pair_pixels import (
    SIDE_PX,
    background,
    crop_at,
    ellipse,
    far_from,
    luminance,
    sharpness,
    ssim_map,
    warping,
)
from harness.scoring.quality import psnr

Picture = NDArray[np.uint8]
BOX = (60.0, 40.0, 120.0, 110.0)


def texture(height: int = 180, width: int = 240, seed: int = 1) -> Picture:
    """Soft blobs in colour: something that flow can follow."""
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.clip((soft - 127) * 6 + 127, 0, 255).astype(np.uint8)


def moved(picture: Picture, right: float, down: float) -> Picture:
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = picture.shape[1], picture.shape[0]
    return cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REFLECT)  # type: ignore[return-value]


def test_ssim_and_psnr_are_those_of_scikit_image() -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    first = texture()
    noise = np.random.default_rng(2).normal(0, 12, first.shape)
    second = np.clip(first + noise, 0, 255).astype(np.uint8)
    grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (first, second)]
    _, expected = structural_similarity(
        *grey, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True,
        data_range=255,
    )  # fmt: skip
    assert ssim_map(*grey)[8:-8, 8:-8] == pytest.approx(expected[8:-8, 8:-8], abs=1e-4)
    found = background(first, second, [])
    assert found["background_share"] == 1
    assert psnr(found["background_mse"]) == pytest.approx(
        peak_signal_noise_ratio(first, second), abs=1e-9
    )


def test_the_background_ends_half_a_face_away_and_knows_nothing_of_the_face() -> None:
    first, second = texture(), texture()
    mask = far_from([BOX], first.shape)
    assert not mask[40:110, 60:120].any()
    assert not mask[:150, 25:155].any()
    assert mask[160:, :].all()
    assert mask[:, 160:].all()
    second[~mask] = 0
    second[:150, 25:155] = 0
    # SSIM's window reaches five pixels out of what was changed, and so does the mask.
    found = background(first, second, [BOX])
    assert found["background_mse"] == 0
    second[170, 10] += 100
    assert background(first, second, [BOX])["background_mse"] > 0


def test_a_face_that_fills_the_picture_leaves_no_background() -> None:
    found = background(texture(), texture(), [(0.0, 0.0, 240.0, 180.0)])
    assert found == {"background_share": 0}


def test_a_window_that_reaches_out_of_the_picture_repeats_its_edge() -> None:
    picture = texture()
    crop = crop_at((-20.0, -30.0, 60.0, 70.0), picture.shape)
    assert crop is not None
    assert crop.of(picture).shape == (SIDE_PX, SIDE_PX, 3)
    assert crop_at((-90.0, 0.0, 10.0, 90.0), picture.shape) is None
    assert crop_at((50.0, 50.0, 55.0, 90.0), picture.shape) is None


def test_the_faces_brightness_is_that_of_its_ellipse() -> None:
    picture = np.zeros((180, 240, 3), np.uint8)
    inside = ellipse(70, 60)
    picture[40:110, 60:120][inside] = 80
    assert luminance(picture, BOX) == pytest.approx(80)
    picture[40:110, 60:120][~inside] = 200
    assert luminance(picture, BOX) == pytest.approx(80)
    assert np.isnan(luminance(picture, (300.0, 0.0, 350.0, 50.0)))


def crops(*pictures: Picture) -> tuple[Picture, ...]:
    crop = crop_at(BOX, pictures[0].shape)
    assert crop is not None
    return tuple(crop.of(picture) for picture in pictures)


def test_motion_that_both_videos_share_is_taken_out() -> None:
    before = texture()
    then, now = crops(before, moved(before, 2.0, 1.0))
    (error, swapped), share = warping((then, now), (then, now))
    assert error == swapped
    assert share > 0.9
    unmoved = float(np.mean((now.astype(float) - then.astype(float)) ** 2))
    assert error < 0.02 * unmoved


def test_brightness_that_jumps_is_seen_by_its_square() -> None:
    picture = texture()
    brighter = np.clip(picture.astype(int) + 10, 0, 255).astype(np.uint8)
    then, now, lit = crops(picture, picture, brighter)
    (error, swapped), _ = warping((then, now), (then, lit))
    assert error == 0
    assert swapped == pytest.approx(100, rel=0.1)


def test_blur_is_warped_better_than_the_original_and_loses_its_sharpness() -> None:
    fine = np.random.default_rng(5).normal(0, 12, (180, 240, 3))
    before = np.clip(texture() + fine, 0, 255).astype(np.uint8)
    after = moved(before, 2.3, 1.4)
    soft = [cv2.GaussianBlur(picture, (0, 0), 4) for picture in (before, after)]
    then, now = crops(before, after)
    blurred = crops(*soft)  # type: ignore[arg-type]
    (error, swapped), _ = warping((then, now), (blurred[0], blurred[1]))
    assert swapped < error
    assert sharpness(blurred[1]) < 0.1 * sharpness(now)


def test_frames_that_are_looked_at_are_spread_evenly_and_bounded() -> None:
    assert spread(5, 2, (10, 40)) == set(range(5))
    assert len(spread(100, 12, (20, 40))) == 20
    many = sorted(spread(10_000, 5_000, (20, 40)))
    assert (len(many), many[0], many[-1]) == (40, 0, 9_999)
    assert max(np.diff(many)) - min(np.diff(many)) <= 1
    assert spread(0, 0, (1, 4)) == set()
