"""Optical flow on textures that move by known amounts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from magbench.metrics.detail import grey_of
from magbench.quality import measure
from magbench.quality.flow import motion_of, one_thread
from tests.quality.videos import canvas, film, pan, there_and_back


@pytest.mark.parametrize(
    "dx, dy", [(0.1, 0.0), (1.0, 0.0), (0.5, -0.5), (-2.0, 1.0), (3.0, -4.0), (0.0, 8.0), (10.0, 3.0)]
)
def test_speed_of_a_pan(dx: float, dy: float) -> None:
    frames = pan(6, dx, dy)
    found = measure(frames, frames)
    speed = float(np.hypot(dx, dy))
    assert found["motion"] == pytest.approx(speed, rel=0.1, abs=0.03)
    assert found["motion_share"] == pytest.approx(found["motion"] / np.hypot(32, 32))
    assert found["motion_smoothness"] > 0.9
    assert found["motion_match"] == pytest.approx(1)


def test_speed_of_a_zoom() -> None:
    """Scaled by 1.05 about the centre, a point moves by 0.05 of its distance from it."""
    image, side = canvas(128), 64
    centre = np.float32([63.5, 63.5])
    frames = []
    for step in range(4):
        matrix = cv2.getRotationMatrix2D(centre.tolist(), 0, 1.05**step)
        frames.append(cv2.warpAffine(image, matrix, (128, 128))[32 : 32 + side, 32 : 32 + side])
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    expected = 0.05 * np.hypot(rows, columns).mean()
    shown = np.stack(frames).round().astype(np.uint8)
    assert measure(shown, shown)["motion"] == pytest.approx(expected, rel=0.1)


def test_a_larger_frame_moves_by_a_smaller_share() -> None:
    small, large = (measure(pan(3, 3, side=side), pan(3, 3, side=side)) for side in (32, 128))
    assert large["motion"] == pytest.approx(small["motion"], rel=0.05)
    assert large["motion_share"] == pytest.approx(small["motion_share"] / 4, rel=0.05)


def test_a_frozen_return_stands_still() -> None:
    _, away = there_and_back(2)
    found = measure(np.repeat(away[-1:], 8, axis=0), away)
    assert found["motion"] == 0
    assert found["motion_match"] == 0
    assert found["motion_smoothness"] is None  # nothing moves, evenly or not


@pytest.mark.parametrize("pace", [0.5, 2.0])
def test_another_pace_than_before(pace: float) -> None:
    assert measure(pan(8, 2 * pace), pan(8, 2))["motion_match"] == pytest.approx(0.5, rel=0.06)


def test_a_return_keeps_the_pace() -> None:
    frames, away = there_and_back(2)
    assert measure(frames, away)["motion_match"] == pytest.approx(1, abs=0.02)


def test_stop_and_go_and_shaking_are_not_smooth() -> None:
    steady = measure(pan(12, 2), pan(12, 2))["motion_smoothness"]
    halting = film(np.arange(12) // 2 * 4.0, np.zeros(12))
    shaking = film(np.arange(12) % 2 * 2.0, np.zeros(12))
    speeding = film(0.25 * np.arange(12.0) ** 2, np.zeros(12))
    scores = [measure(frames, frames)["motion_smoothness"] for frames in (halting, shaking, speeding)]
    assert scores[0] == pytest.approx(0, abs=0.1)
    assert scores[1] == pytest.approx(0, abs=0.1)
    assert 0.7 < scores[2] < steady


def test_what_flow_cannot_explain_has_no_motion() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    found = measure(noise, pan(5, 2))
    assert [found[name] for name in ("motion", "motion_share", "motion_match", "motion_smoothness")] == [None] * 4
    assert measure(pan(5, 2), noise)["motion_match"] is None


def test_too_few_or_too_small_frames_have_no_motion() -> None:
    assert measure(pan(1, 2), pan(5, 2))["motion"] is None
    assert measure(pan(2, 2), pan(5, 2))["motion_smoothness"] is None
    assert measure(pan(5, 2), pan(1, 2))["motion_match"] is None
    assert measure(pan(5, 2), pan(5, 2)[:0])["motion_match"] is None
    assert measure(pan(5, 1, side=12), pan(5, 1, side=12))["motion"] is None
    assert measure(pan(5, 2), np.repeat(pan(1, 2), 5, axis=0))["motion_match"] is None  # the given frames stand still


def test_the_number_of_threads_changes_nothing() -> None:
    grey = grey_of(pan(3, 3, 1, side=192))
    before = cv2.getNumThreads()
    try:
        found = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            found.append(motion_of(lambda: grey))
            assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)
    assert found[0].speed.tobytes() == found[1].speed.tobytes()
    assert found[0].turn.tobytes() == found[1].turn.tobytes()
    with pytest.raises(RuntimeError), one_thread():
        raise RuntimeError
    assert cv2.getNumThreads() == before
