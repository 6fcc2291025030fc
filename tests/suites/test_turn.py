"""Where a video turns, from its pixels: found to the frame, and not where there is nothing to find."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.suites.clip import NO_REVISIT
from magbench.suites.turn import find_mirror, mirrored_revisits
from magbench.video.io import read_video
from tests.encode import encode


def pan(length: int, step: int = 2, seed: int = 0, height: int = 48, width: int = 80) -> NDArray[np.uint8]:
    """A camera that pans over a textured wall."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height // 4 + 1, (width + step * length) // 4 + 2, 3), dtype=np.uint8)
    wall = cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return np.stack([wall[:height, step * t : step * t + width] for t in range(length)])


def there_and_back(out: int, back: int, turn: int) -> NDArray[np.uint8]:
    """``turn`` = 1 shows the outermost frame twice, 0 once."""
    way = pan(out)
    return np.concatenate([way, way[::-1][1 - turn :][:back]])


@pytest.mark.parametrize(
    ("out", "back", "turn", "mirror"),
    [(30, 30, 1, 59), (30, 29, 0, 58), (30, 20, 1, 59), (40, 21, 0, 78), (53, 52, 0, 104), (9, 8, 0, 16)],
)
def test_finds_the_turn_to_the_frame(out: int, back: int, turn: int, mirror: int) -> None:
    frames = there_and_back(out, back, turn)
    assert find_mirror(frames) == mirror
    assert np.array_equal(frames[mirror - len(frames) + 1], frames[-1])


def test_finds_it_where_the_way_back_is_the_longer_part(tmp_path: Path) -> None:
    frames = there_and_back(30, 30, 1)[9:]
    assert find_mirror(frames) == 59 - 2 * 9


@pytest.mark.parametrize("quality", [18, 24, 30])
def test_finds_it_behind_a_lossy_codec(tmp_path: Path, quality: int) -> None:
    frames = there_and_back(45, 44, 0)
    lossy = read_video(encode(tmp_path / "x.mp4", frames, options={"crf": str(quality)}))
    assert not np.array_equal(lossy[0], lossy[-1])
    assert find_mirror(lossy) == 88


def nothing_moves() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).normal(0, 2, (40, 48, 80, 3))
    return (pan(1).astype(float) + noise).clip(0, 255).astype(np.uint8)


def another_return() -> NDArray[np.uint8]:
    """Comes back along a way half a picture higher."""
    wall = pan(20, height=96)
    return np.concatenate([wall[:, :48], wall[::-1, 24:72]])


@pytest.mark.parametrize(
    "frames",
    [
        pan(40),
        np.concatenate([pan(20, seed=1), pan(20, seed=2)]),
        nothing_moves(),
        np.repeat(pan(1), 40, axis=0),
        np.concatenate([there_and_back(12, 12, 1)] * 2),
        another_return(),
        np.concatenate([pan(30), pan(30)[::-1][:8]]),
        pan(1),
        pan(2),
    ],
    ids=["away", "two scenes", "still", "frozen", "twice", "another way", "too little", "one frame", "two frames"],
)
def test_what_is_no_mirror_has_no_turn(frames: NDArray[np.uint8]) -> None:
    assert find_mirror(frames) is None


def test_one_spoilt_pair_is_enough(tmp_path: Path) -> None:
    frames = there_and_back(30, 30, 1)
    frames[50] = 255 - frames[50]
    assert find_mirror(frames) is None


def test_revisits_of_a_mirror() -> None:
    none = NO_REVISIT
    assert mirrored_revisits(7, 6).tolist() == [none, none, none, none, 2, 1, 0]
    assert mirrored_revisits(6, 5).tolist() == [none, none, none, 2, 1, 0]
    assert mirrored_revisits(7, 4).tolist() == [none, none, none, 1, 0, none, none]
    assert mirrored_revisits(3, None).tolist() == [none] * 3
