"""Detail of frames: the variance of the Laplacian of the luma (Pech-Pacheco et al., 2000)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from magbench.video.frames import FrameSource, pieces


def greys(frames: FrameSource) -> Iterator[NDArray[np.uint8]]:
    """The luma (H, W) of one frame after the other of (T, H, W, 3)."""
    for piece in pieces(frames):
        yield from grey_of(piece)


def grey_of(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB -> (T, H, W): BT.601 luma, rounded."""
    import cv2

    count, height, width = frames.shape[:3]
    if count == 0:
        return np.empty((0, height, width), dtype=np.uint8)
    tall = np.ascontiguousarray(frames).reshape(count * height, width, 3)
    return np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY), dtype=np.uint8).reshape(count, height, width)


def laplacian_variance(grey: Iterable[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """(T,) variance of the Laplacian (4 neighbours) over the inner pixels of each of T frames (H, W)."""
    import cv2

    spreads = (cv2.meanStdDev(cv2.Laplacian(frame, cv2.CV_16S, ksize=1)[1:-1, 1:-1])[1] for frame in grey)
    return np.array([float(spread[0, 0]) ** 2 for spread in spreads])
