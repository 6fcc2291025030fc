"""Flicker and repetition against numbers worked out by hand, and against OpenCV as VBench calls it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from magbench.quality import measure
from tests.quality.videos import pan


def flat(*levels: int) -> np.ndarray:
    """Frames of one grey level each."""
    return np.stack([np.full((16, 16, 3), level, dtype=np.uint8) for level in levels])


def test_flicker_by_hand() -> None:
    found = measure(flat(10, 20, 250, 250), flat(0))
    assert found["temporal_flickering"] == pytest.approx((255 - (10 + 230 + 0) / 3) / 255, abs=1e-12)
    assert found["repetition"] == pytest.approx(1 / 3)


def test_flicker_does_not_wrap_around() -> None:
    assert measure(flat(0, 255, 0), flat(0))["temporal_flickering"] == 0


def test_flicker_is_what_float32_frames_give() -> None:
    frames = np.random.default_rng(3).integers(0, 256, (6, 20, 30, 3), dtype=np.uint8)
    blue_first = frames[..., ::-1].astype(np.float32)
    seen = [np.mean(cv2.absdiff(a, b)) for a, b in zip(blue_first, blue_first[1:], strict=False)]
    expected = (255.0 - np.mean(np.array(seen)).item()) / 255.0
    assert measure(frames, frames)["temporal_flickering"] == pytest.approx(expected, abs=1e-6)


def test_frozen_frames_are_counted() -> None:
    moving = pan(9, 2)
    assert measure(moving, moving)["repetition"] == 0
    stalled = moving[[0, 1, 2, 2, 2, 3, 4, 4, 5]]
    assert measure(stalled, moving)["repetition"] == pytest.approx(3 / 8)
    assert measure(np.repeat(moving[:1], 9, axis=0), moving)["repetition"] == 1


def test_going_back_over_the_same_views_is_not_repetition() -> None:
    moving = pan(5, 2)
    assert measure(np.concatenate([moving, moving[-2::-1]]), moving)["repetition"] == 0


def test_one_frame_has_neither() -> None:
    found = measure(pan(1, 2), pan(4, 2))
    assert found["temporal_flickering"] is None
    assert found["repetition"] is None
