"""What a revisit clip is: the frames, the camera, and which earlier frame showed the same view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

NO_REVISIT = -1


class FrameSource(Protocol):
    """Frames that need not be in memory: an array, or something that becomes one when numpy asks.

    ``shape`` is (T, H, W, 3), and known without the pixels; ``__array__`` gives them, uint8 RGB.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def __array__(self) -> Callable[..., NDArray[Any]]: ...


class _Frames:
    """The attribute ``frames``: set to a :class:`FrameSource`, always read as an array."""

    def __get__(self, clip: Clip | None, owner: type[Clip]) -> NDArray[np.uint8]:
        if clip is None:
            raise AttributeError("frames")  # so that the dataclass sees a field without a default
        return np.asarray(clip.source)

    def __set__(self, clip: Clip, source: FrameSource) -> None:
        clip.__dict__["frames"] = source


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Clip:
    """One leave-and-return clip. ``len(clip)`` is T.

    Attributes:
        id: unique inside its suite; also the stem of its video file.
        caption: text prompt, "" where the suite has none.
        category: kind of camera path (``pan``, ``loop``, ...), "" if unknown.
        speed: ``slow``, ``medium``, ``fast``, or "" if unknown.
        fps: frames per second.
        switch: first frame that a model has to make; frames [0, switch) are its context.
        frames: (T, H, W, 3) uint8 RGB. Those of a suite on disk are decoded when they are read: take them once into
            a local variable, and write nothing into them.
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
    frames: _Frames = _Frames()
    pose: NDArray[np.float64] | None
    revisit: NDArray[np.int64]

    @property
    def source(self) -> FrameSource:
        """What ``frames`` was set to."""
        source: FrameSource = self.__dict__["frames"]
        return source

    def __len__(self) -> int:
        return self.source.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of a frame, in pixels."""
        height, width = self.source.shape[1:3]
        return height, width

    @property
    def gap(self) -> NDArray[np.int64]:
        """(T,) int64: frames since this view was last seen; ``NO_REVISIT`` where it never was."""
        frame = np.arange(len(self.revisit))
        return np.where(self.revisit == NO_REVISIT, NO_REVISIT, frame - self.revisit)

    def out_of_window(self, window: int) -> NDArray[np.bool_]:
        """(T,) bool: the view was seen before, but not within the last ``window`` frames."""
        return self.gap >= window

    @property
    def explores(self) -> bool:
        """Whether the camera comes back, but to nothing that is given: only to what a model has made by then.

        Nobody can know the true frames of such a clip.
        """
        back = self.revisit[self.switch :]
        return bool((back != NO_REVISIT).any() and (back[back != NO_REVISIT] >= self.switch).all())

    def __repr__(self) -> str:
        return f"Clip('{self.id}', {len(self)} frames of {self.size[1]}x{self.size[0]})"

    def __eq__(self, other: Any) -> bool:
        """Equal in every number and every pixel; videos are decoded only where all else is equal."""
        if not isinstance(other, Clip):
            return NotImplemented
        plain = ("id", "caption", "category", "speed", "fps", "switch")
        same_pose = (self.pose is None) == (other.pose is None) and (
            self.pose is None or other.pose is None or np.array_equal(self.pose, other.pose)
        )
        return (
            all(getattr(self, name) == getattr(other, name) for name in plain)
            and np.array_equal(self.revisit, other.revisit)
            and same_pose
            and self.source.shape == other.source.shape
            and np.array_equal(self.frames, other.frames)
        )
