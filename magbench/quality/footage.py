"""A return and the frames given before it, with what several metrics ask of them, made once when first asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.metrics.detail import grey_of
from magbench.quality.flow import MIN_SIDE, Motion, motion_of

PIXELS_AT_ONCE = 1 << 18
"""So many pixels are held as floats at a time."""

PACE_FRAMES = 7
"""How many of the last given frames tell how fast the camera was."""


@dataclass(frozen=True)
class Footage:
    """``frames`` (T > 0, H, W, 3) uint8 RGB, the return alone; ``context`` (C >= 0, H, W, 3) uint8 RGB."""

    frames: NDArray[np.uint8]
    context: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for name, frames in (("the return", self.frames), ("the given frames", self.context)):
            if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8:
                raise MagbenchError(f"{name}: frames must be (T, H, W, 3) uint8, not {frames.shape} {frames.dtype}")
        if self.frames.size == 0:
            raise MagbenchError(f"the return: holds no frame, shape {self.frames.shape}")
        if self.frames.shape[1:] != self.context.shape[1:]:
            sizes = ["x".join(map(str, frames.shape[1:3])) for frames in (self.frames, self.context)]
            raise MagbenchError(f"the return is {sizes[0]}, the given frames are {sizes[1]}")

    @cached_property
    def differences(self) -> NDArray[np.float64]:
        """(T - 1,) mean absolute difference of successive frames, in grey levels, 0 to 255."""
        import cv2

        pairs = zip(self.frames, self.frames[1:], strict=False)
        return np.array([cv2.absdiff(a, b).mean(dtype=np.float64) for a, b in pairs])

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """(T, H, W) luma of the return."""
        return grey_of(self.frames)

    @cached_property
    def context_grey(self) -> NDArray[np.uint8]:
        """(C, H, W) luma of the given frames."""
        return grey_of(self.context)

    @cached_property
    def motion(self) -> Motion | None:
        """How the return moves; None if it has less than two frames or is too small for optical flow."""
        return _motion(self.grey)

    @cached_property
    def context_motion(self) -> Motion | None:
        """How the last ``PACE_FRAMES`` given frames move; None as above."""
        return _motion(self.context_grey[-PACE_FRAMES:])

    @cached_property
    def colour(self) -> NDArray[np.float64]:
        """(T, 3) mean CIELAB colour of each frame of the return: L* from 0 to 100, a*, b*."""
        return mean_lab(self.frames)

    @cached_property
    def context_colour(self) -> NDArray[np.float64]:
        """(C, 3) mean CIELAB colour of each given frame."""
        return mean_lab(self.context)


def mean_lab(frames: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(T, H, W, 3) sRGB -> (T, 3): mean over the pixels of their CIELAB colour (D65), to 0.2 or better."""
    import cv2

    count, height, width = frames.shape[:3]
    step = max(1, PIXELS_AT_ONCE // (height * width))
    means = [np.empty((0, 3))]
    for start in range(0, count, step):
        part = frames[start : start + step]
        tall = part.reshape(len(part) * height, width, 3).astype(np.float32) / 255
        lab = np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2LAB)).reshape(len(part), height * width, 3)
        means.append(np.ascontiguousarray(lab.transpose(0, 2, 1)).mean(axis=2, dtype=np.float64))
    return np.concatenate(means)


def _motion(grey: NDArray[np.uint8]) -> Motion | None:
    return motion_of(grey) if len(grey) > 1 and min(grey.shape[1:]) >= MIN_SIDE else None
