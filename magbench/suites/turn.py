"""Where an out-and-back video turns: found, and verified, by its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import NO_REVISIT
from magbench.video.frames import FrameSource, each

VERSION = 1

THUMBNAIL = (36, 64)
"""Height and width at which all pairs of frames are compared."""

CONTRAST = 0.1
"""Mean squared error of a mirror's pairs, relative to the median over all other places to turn: at most this."""

LEAST_PSNR = 25.0
"""dB, at full size, of the worst pair: more than a lossy codec costs, less than a camera that came back by hand has."""


def find_mirror(frames: FrameSource) -> int | None:
    """The number m for which frame t and frame m - t are the same picture; the video turns at frame m / 2.

    A video is a mirror if at least half of its frames have a partner, if one place to turn stands out (a still camera,
    or one that goes there and back twice, has none or several), and if every pair agrees at full size.

    Args:
        frames: (T, H, W, 3) uint8.

    Returns:
        None if the video is no mirror.
    """
    length = frames.shape[0]
    sums = [m for m in range(1, 2 * length - 2) if 4 * len(_earlier(m, length)) >= length]
    if not sums:
        return None
    distance = _distances(frames)
    errors = np.array([distance[(early := _earlier(m, length)), m - early].mean() for m in sums])
    good = np.flatnonzero(errors < CONTRAST * np.median(errors))
    if len(good) == 0 or good[-1] - good[0] + 1 != len(good):
        return None
    mirror = sums[int(errors.argmin())]
    places = ((t, mirror - t) for t in _earlier(mirror, length).tolist())
    pairs = ([frames[t : t + 1][0] for t in both] for both in places)
    return mirror if all(_psnr(here, there) >= LEAST_PSNR for here, there in pairs) else None


def mirrored_revisits(length: int, mirror: int | None) -> NDArray[np.int64]:
    """(length,) int64: frame ``mirror - t`` for each frame t after the turn, else ``NO_REVISIT``."""
    if mirror is None:
        return np.full(length, NO_REVISIT, np.int64)
    frame = np.arange(length, dtype=np.int64)
    partner = mirror - frame
    return np.where((partner >= 0) & (partner < frame), partner, NO_REVISIT)


def _earlier(mirror: int, length: int) -> NDArray[np.int64]:
    """Frames that have their partner after them."""
    return np.arange(max(0, mirror - length + 1), (mirror + 1) // 2, dtype=np.int64)


def _distances(frames: FrameSource) -> NDArray[np.float64]:
    """(T, T) mean squared differences of all thumbnails, in levels."""
    import cv2

    height, width = THUMBNAIL
    every = each(frames)
    small = np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in every])
    flat = small.reshape(len(small), -1).astype(np.float64)
    flat -= flat.mean(axis=0)  # less to cancel below
    square = (flat**2).sum(axis=1)
    return np.maximum(square[:, None] + square[None] - 2 * flat @ flat.T, 0) / flat.shape[1]


def _psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    import cv2

    return float(cv2.PSNR(one, other, 255.0))
