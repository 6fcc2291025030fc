"""Dense optical flow between successive frames, and how far it can be believed.

Source: Kroeger et al., "Fast optical flow using dense inverse search" (2016), as OpenCV implements it. A camera
that moves by a third of a small frame is beyond its reach, so it starts from the one shift of the whole frame that
phase correlation finds (Kuglin and Hines, 1975), where that shift makes the frames more alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

MIN_SIDE = 16
"""Least height and width, in pixels: two patches."""

PATCH, STRIDE, DESCENTS, REFINEMENTS = 8, 4, 16, 0
FINE_SIDE = 128
"""The flow is found on a grid that is coarser by a power of two, the largest that leaves the shorter side this long."""

SHIFT_SIDE = 64
"""The shift of the whole frame is looked for in frames made this small, in pixels of the longer side."""

OVERLAP = 0.25
"""Where less than this share of the pixels stays inside the frame, the flow explains nothing."""

EXPLAINED = 0.5
"""The flow is believed if it takes away at least this share of the difference between successive frames."""

ROUNDING = 0.5
"""Mean difference in grey levels that rounding alone leaves, which no flow can take away."""

Array = NDArray[Any]
Greys = Callable[[], Iterable[NDArray[np.uint8]]]
"""Gives frames (H, W), one after the other, each time it is asked: a long video is not held."""


@dataclass(frozen=True)
class Motion:
    """Optical flow of T frames, summed up; only pixels that stay inside the frame count.

    Attributes:
        speed: (T - 1,) mean length of the flow, in pixels a frame.
        turn: (T - 2,) mean length of the difference between the flows before and after a frame, in pixels a frame.
        reach: (T - 2,) mean of the sum of the two flows' lengths there; ``turn`` is at most that.
        explained: share of the difference between successive frames that the flow takes away, ``ROUNDING`` allowed
            for; 1 if there is none.
    """

    speed: NDArray[np.float64]
    turn: NDArray[np.float64]
    reach: NDArray[np.float64]
    explained: float

    @property
    def believed(self) -> bool:
        return self.explained >= EXPLAINED


def motion_of(grey: Greys) -> Motion:
    """Follow T >= 2 frames (H, W) uint8, sides of at least ``MIN_SIDE``; two of them, and two flows, are held."""
    import cv2

    height, width = next(iter(grey())).shape
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)
    speeds, turns, reaches = [], [], []
    left = change = 0.0
    before: tuple[Array, Array, Array] | None = None
    for first, second, flow in _flows(grey, (height, width)):
        target = grid + flow
        x, y = cv2.split(target)
        inside = cv2.inRange(target, (0.0, 0.0), (width - 1.0, height - 1.0))  # 255 where the pixel stays
        length = _length(flow)
        speeds.append(_mean(length, inside))
        if cv2.countNonZero(inside) >= OVERLAP * inside.size:
            left += _difference(first, cv2.remap(second, x, y, cv2.INTER_LINEAR), inside)
            change += _difference(first, second, inside)
        else:
            unexplained = _difference(first, second)
            left, change = left + unexplained, change + unexplained
        if before is not None:
            flow_before, length_before, inside_before = before
            both = inside & inside_before
            turns.append(_mean(_length(flow - flow_before), both))
            reaches.append(_mean(length + length_before, both))
        before = flow, length, inside
    explained = 1 - max(0.0, left - ROUNDING * len(speeds)) / change if change else 1.0
    return Motion(np.array(speeds), np.array(turns), np.array(reaches), explained)


def _flows(grey: Greys, size: tuple[int, int]) -> Iterator[tuple[Array, Array, Array]]:
    """(frame t, frame t + 1, flow (H, W, 2) float32: x and y in pixels from t to t + 1) for each t."""
    import cv2

    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setPatchSize(PATCH)
    search.setPatchStride(STRIDE)
    search.setGradientDescentIterations(DESCENTS)
    search.setVariationalRefinementIterations(REFINEMENTS)
    search.setFinestScale(max(0, int(np.log2(min(size) / FINE_SIDE))))
    for (first, second), (x, y) in zip(pairwise(grey()), _shifts(grey(), size), strict=True):
        start = None
        if _closer(first, second, x, y):
            start = np.empty((*first.shape, 2), dtype=np.float32)
            start[:] = x, y
        with one_thread():
            flow = search.calc(first, second, start)
        yield first, second, flow


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV cuts a frame into as many stripes as it has threads, and the flow depends on where it is cut."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _shifts(grey: Iterable[NDArray[np.uint8]], shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Whole pixels (x, y) by which each frame of ``shape`` moves as a whole to become the next."""
    import cv2

    height, width = shape
    factor = max(1.0, max(height, width) / SHIFT_SIDE)
    size = (round(width / factor), round(height / factor))
    small = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in grey]).astype(np.float32)
    small -= small.mean(axis=(1, 2), keepdims=True)
    waves = np.fft.rfft2(small * np.outer(np.hanning(size[1]), np.hanning(size[0])).astype(np.float32))
    cross = waves[1:] * waves[:-1].conj()
    peaks = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=(size[1], size[0]))
    y, x = np.divmod(peaks.reshape(len(peaks), -1).argmax(axis=1), size[0])
    y, x = np.where(y > size[1] // 2, y - size[1], y), np.where(x > size[0] // 2, x - size[0], x)
    return [
        (round(a * width / size[0]), round(b * height / size[1])) for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]


def _closer(first: Array, second: Array, x: int, y: int) -> bool:
    """Whether frames moved by (x, y) are more alike, where they overlap, than frames left in place."""
    height, width = first.shape
    a = first[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    b = second[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    return _difference(a, b) < _difference(first, second)


def _difference(first: Array, second: Array, where: Array | None = None) -> float:
    """Mean absolute difference of (H, W) uint8 frames, over the pixels where the mask is not 0."""
    import cv2

    return cv2.mean(cv2.absdiff(first, second), where)[0]


def _length(flow: Array) -> Array:
    """(H, W, 2) -> (H, W). Not by OpenCV, whose last digit depends on where in memory the result lies."""
    return np.sqrt(flow[..., 0] ** 2 + flow[..., 1] ** 2)


def _mean(values: Array, where: Array) -> float:
    """Mean of (H, W) over the pixels where the mask is not 0; 0 if it is 0 everywhere."""
    import cv2

    return cv2.mean(values, where)[0]
