"""Sharpness against scipy, colours against scikit-image, drift against known drift."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter
from skimage.color import rgb2lab

from magbench.metrics.detail import grey_of, laplacian_variance
from magbench.quality import measure
from magbench.quality.footage import mean_lab
from tests.quality.videos import pan, there_and_back


def flat(*colours: tuple[int, int, int]) -> np.ndarray:
    """Frames of one colour each."""
    return np.stack([np.full((16, 16, 3), colour, dtype=np.uint8) for colour in colours])


def test_detail_is_the_variance_of_the_laplacian() -> None:
    grey = grey_of(pan(3, 2))
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    expected = [convolve(frame.astype(np.float64), kernel)[1:-1, 1:-1].var() for frame in grey]
    assert laplacian_variance(grey) == pytest.approx(expected, rel=1e-9)


def test_luma_by_hand() -> None:
    assert grey_of(flat((10, 200, 90)))[0, 0, 0] == round(0.299 * 10 + 0.587 * 200 + 0.114 * 90)


def test_sharpness_of_the_same_views_is_one() -> None:
    frames, away = there_and_back(2)
    assert measure(frames, away)["sharpness"] == 1


def test_sharpness_falls_with_blur_and_with_noise() -> None:
    frames, away = there_and_back(2)
    blurred = [
        measure(gaussian_filter(frames.astype(np.float64), (0, s, s, 0)).round().astype(np.uint8), away)["sharpness"]
        for s in (0.4, 0.8, 1.6)
    ]
    assert 1 > blurred[0] > blurred[1] > blurred[2]
    noise = np.random.default_rng(0).normal(0, 20, frames.shape)
    assert measure((frames + noise).clip(0, 255).astype(np.uint8), away)["sharpness"] < 0.5
    assert measure(np.full_like(frames, 90), away)["sharpness"] == 0


def test_half_the_contrast_has_a_quarter_of_the_detail() -> None:
    frames, away = there_and_back(2)
    half = (frames.astype(np.float64) / 2).round().astype(np.uint8)
    assert measure(half, away)["sharpness"] == pytest.approx(0.25, abs=0.03)


def test_sharpness_needs_given_frames_with_detail() -> None:
    frames = pan(4, 2)
    assert measure(frames, frames[:0])["sharpness"] is None
    assert measure(frames, np.full_like(frames, 90))["sharpness"] is None


def test_colour_is_that_of_scikit_image() -> None:
    frames = np.random.default_rng(1).integers(0, 256, (3, 24, 20, 3), dtype=np.uint8)
    expected = np.stack([rgb2lab(frame).mean(axis=(0, 1)) for frame in frames])
    np.testing.assert_allclose(mean_lab(frames), expected, atol=0.2)


def test_drift_of_flat_colours_by_hand() -> None:
    """Four frames: the last alone is the end. The nearest given colour counts."""
    given = flat((100, 100, 100), (60, 60, 60))
    frames = flat((0, 0, 0), (0, 0, 0), (0, 0, 0), (120, 110, 100))
    last, near = (rgb2lab(np.array([[colour]], dtype=np.uint8))[0, 0] for colour in ((120, 110, 100), (100, 100, 100)))
    found = measure(frames, given)
    assert found["brightness_drift"] == pytest.approx(abs(last[0] - near[0]), abs=0.1)
    assert found["colour_drift"] == pytest.approx(float(np.hypot(*last[1:])), abs=0.1)


def test_the_views_that_were_given_have_no_drift() -> None:
    frames, away = there_and_back(3)
    found = measure(frames, away)
    assert found["brightness_drift"] == 0
    assert found["colour_drift"] == 0


def test_brightness_and_colour_drift_apart() -> None:
    frames, away = there_and_back(2, count=12)
    ramp = np.linspace(0, 1, 12)[:, None, None, None]
    brighter = (frames * 0.6 + 80 * ramp).clip(0, 255).astype(np.uint8)
    redder = (frames * 0.6 + ramp * np.array([50.0, -20.0, 0.0])).clip(0, 255).astype(np.uint8)
    given = (away * 0.6).astype(np.uint8)
    bright, red = measure(brighter, given), measure(redder, given)
    assert bright["brightness_drift"] > 20 > 5 > bright["colour_drift"]
    assert red["colour_drift"] > 20 > 5 > red["brightness_drift"]
    slower = measure((frames * 0.6 + 40 * ramp).clip(0, 255).astype(np.uint8), given)
    assert slower["brightness_drift"] == pytest.approx(bright["brightness_drift"] / 2, rel=0.2)


def test_drift_needs_given_frames() -> None:
    frames = pan(4, 2)
    found = measure(frames, frames[:0])
    assert found["brightness_drift"] is None
    assert found["colour_drift"] is None
