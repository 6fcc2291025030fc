"""A return and the frames given before it, with what several metrics ask of them, made once when first asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.detail import greys, laplacian_variance
from magbench.quality.flow import MIN_SIDE, Motion, motion_of
from magbench.video.frames import FrameSource, each

PIXELS_AT_ONCE = 1 << 18
"""So many pixels are held as floats at a time."""

PACE_FRAMES = 7
"""How many of the last given frames tell how fast the camera was."""


@dataclass(frozen=True)
class Given:
    """``frames`` (C >= 0, H, W, 3) uint8 RGB, those before a return: one serves all returns of a clip.

    They are not held: a few at a time are read.
    """

    frames: FrameSource

    @cached_property
    def detail(self) -> NDArray[np.float64]:
        """(C,) variance of the Laplacian of each frame's luma."""
        return laplacian_variance(greys(self.frames))

    @cached_property
    def motion(self) -> Motion | None:
        """How the last ``PACE_FRAMES`` move; None if there are less than two or they are too small for optical flow."""
        return _motion(self.frames[-PACE_FRAMES:])

    @cached_property
    def colour(self) -> NDArray[np.float64]:
        """(C, 3) mean CIELAB colour of each frame: L* from 0 to 100, a*, b*."""
        return mean_lab(self.frames)


@dataclass(frozen=True)
class Footage:
    """``frames`` (T > 0, H, W, 3) uint8 RGB, the return alone, a few read at a time; ``given`` those before it."""

    frames: FrameSource
    given: Given

    def __post_init__(self) -> None:
        for name, frames in (("the return", self.frames), ("the given frames", self.given.frames)):
            dtype = np.asarray(frames[:1]).dtype
            if len(frames.shape) != 4 or frames.shape[3] != 3 or dtype != np.uint8:
                raise MagbenchError(f"{name}: frames must be (T, H, W, 3) uint8, not {tuple(frames.shape)} {dtype}")
        if 0 in self.frames.shape:
            raise MagbenchError(f"the return: holds no frame, shape {self.frames.shape}")
        if self.frames.shape[1:] != self.given.frames.shape[1:]:
            sizes = ["x".join(map(str, frames.shape[1:3])) for frames in (self.frames, self.given.frames)]
            raise MagbenchError(f"the return is {sizes[0]}, the given frames are {sizes[1]}")

    @cached_property
    def differences(self) -> NDArray[np.float64]:
        """(T - 1,) mean absolute difference of successive frames, in grey levels, 0 to 255."""
        import cv2

        pairs = pairwise(each(self.frames))
        return np.array([cv2.absdiff(a, b).mean(dtype=np.float64) for a, b in pairs])

    @cached_property
    def motion(self) -> Motion | None:
        """How the return moves; None if it has less than two frames or is too small for optical flow."""
        return _motion(self.frames)

    @cached_property
    def colour(self) -> NDArray[np.float64]:
        """(T, 3) mean CIELAB colour of each frame of the return: L* from 0 to 100, a*, b*."""
        return mean_lab(self.frames)


def mean_lab(frames: FrameSource) -> NDArray[np.float64]:
    """(T, H, W, 3) sRGB -> (T, 3): mean over the pixels of their CIELAB colour (D65), to 0.2 or better."""
    import cv2

    count, height, width = frames.shape[:3]
    step = max(1, PIXELS_AT_ONCE // (height * width))
    means = [np.empty((0, 3))]
    for start in range(0, count, step):
        part = np.asarray(frames[start : start + step])
        tall = part.reshape(len(part) * height, width, 3).astype(np.float32) / 255
        lab = np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2LAB)).reshape(len(part), height * width, 3)
        means.append(np.ascontiguousarray(lab.transpose(0, 2, 1)).mean(axis=2, dtype=np.float64))
    return np.concatenate(means)


def _motion(frames: FrameSource) -> Motion | None:
    return motion_of(partial(greys, frames)) if frames.shape[0] > 1 and min(frames.shape[1:3]) >= MIN_SIDE else None
