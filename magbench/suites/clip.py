"""What a revisit clip is, in memory: the frames, the camera, and which earlier frame showed the same view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_REVISIT = -1


@dataclass(frozen=True)
class Clip:
    """One leave-and-return clip.

    Attributes:
        id: unique inside its suite; also the stem of its video file.
        caption: text prompt, "" where the suite has none.
        category: kind of camera path (``pan``, ``loop``, ...), "" if unknown.
        speed: ``slow``, ``medium``, ``fast``, or "" if unknown.
        fps: frames per second.
        switch: first frame that a model has to make; frames [0, switch) are its context.
        frames: (T, H, W, 3) uint8 RGB.
        pose: (T, P) float64 camera numbers, or None. For the rendered worlds P = 3: x and y of the view's centre in
            view widths at scale 1, and the natural logarithm of the scale (how many times wider the view is).
        revisit: (T,) int64, the latest earlier frame with the same view, or ``NO_REVISIT``.
    """

    id: str
    caption: str
    category: str
    speed: str
    fps: int
    switch: int
    frames: NDArray[np.uint8]
    pose: NDArray[np.float64] | None
    revisit: NDArray[np.int64]

    @property
    def gap(self) -> NDArray[np.int64]:
        """(T,) int64: frames since this view was last seen; ``NO_REVISIT`` where it never was."""
        frame = np.arange(len(self.revisit))
        return np.where(self.revisit == NO_REVISIT, NO_REVISIT, frame - self.revisit)

    def out_of_window(self, window: int) -> NDArray[np.bool_]:
        """(T,) bool: the view was seen before, but not within the last ``window`` frames."""
        return self.gap >= window

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Clip):
            return NotImplemented
        plain = ("id", "caption", "category", "speed", "fps", "switch")
        same_pose = (self.pose is None) == (other.pose is None) and (
            self.pose is None or other.pose is None or np.array_equal(self.pose, other.pose)
        )
        return (
            all(getattr(self, name) == getattr(other, name) for name in plain)
            and np.array_equal(self.frames, other.frames)
            and np.array_equal(self.revisit, other.revisit)
            and same_pose
        )
