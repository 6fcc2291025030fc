"""What holds for every quality metric, at every size."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.quality import QUALITY, measure
from tests.quality.videos import pan

FRAMES = pan(8, 2)


def test_every_metric_says_what_it_is() -> None:
    assert len({metric.name for metric in QUALITY}) == len(QUALITY)
    for metric in QUALITY:
        assert metric.version >= 1
        assert metric.better in ("higher", "lower")
        assert metric.about and metric.needs


@pytest.mark.parametrize("metric", QUALITY, ids=lambda metric: metric.name)
def test_alone_as_together(metric) -> None:  # type: ignore[no-untyped-def]
    assert metric.function(FRAMES[::-1], FRAMES) == measure(FRAMES[::-1], FRAMES)[metric.name]


@pytest.mark.parametrize("height, width", [(32, 32), (33, 47), (16, 16), (480, 832)])
def test_every_size(height: int, width: int) -> None:
    wide = np.tile(pan(3, 2, side=64), (1, height // 64 + 1, width // 64 + 1, 1))[:, :height, :width]
    found = measure(wide, wide)
    assert all(value is not None and np.isfinite(value) for value in found.values()), found


@pytest.mark.parametrize("height, width", [(1, 1), (2, 5), (8, 40)])
def test_tiny_frames_have_numbers_or_none(height: int, width: int) -> None:
    tiny = FRAMES[:, :height, :width] if width <= 32 else np.tile(FRAMES, (1, 1, 2, 1))[:, :height, :width]
    found = measure(tiny, tiny)
    assert all(value is None or np.isfinite(value) for value in found.values()), found


def test_the_frames_are_left_alone() -> None:
    frames, context = FRAMES.copy(), FRAMES[::-1].copy()
    for array in (frames, context):
        array.setflags(write=False)
    measure(frames, context)


def test_the_same_bytes_every_time() -> None:
    """Wherever in memory things lie."""
    first, filler = measure(FRAMES[::-1], FRAMES), []
    for size in range(1, 40):
        filler.append(np.ones(97 * size))
        assert measure(FRAMES[::-1].copy(), FRAMES.copy()) == first


@pytest.mark.parametrize(
    "frames, context, message",
    [
        (FRAMES.astype(np.float32), FRAMES, r"the return: frames must be \(T, H, W, 3\) uint8, not .* float32"),
        (FRAMES, FRAMES[0], "the given frames: frames must be"),
        (FRAMES[:0], FRAMES, "the return: holds no frame"),
        (FRAMES, FRAMES[:, :16], "the return is 32x32, the given frames are 16x32"),
    ],
)
def test_bad_input(frames: np.ndarray, context: np.ndarray, message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        measure(frames, context)
