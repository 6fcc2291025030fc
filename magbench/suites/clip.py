"""What a revisit clip is: the frames, the camera, and which earlier frame showed the same view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.video.frames import FrameSource, Stretch

NO_REVISIT = -1
SAME_VIEW = 0.5
"""Share of a view that an earlier frame must show for the view to count as seen, where overlap is known."""


class _Frames:
    """The attribute ``frames``: set to a :class:`FrameSource`, always read as an array."""

    def __get__(self, clip: Clip | None, owner: type[Clip]) -> NDArray[np.uint8]:
        if clip is None:
            raise AttributeError("frames")  # so that the dataclass sees a field without a default
        return np.asarray(clip.source)

    def __set__(self, clip: Clip, source: FrameSource) -> None:
        clip.__dict__["frames"] = source


class _Planes:
    """An attribute set to a :class:`FrameSource` of shape (T, H, W) or to None, and read as an array or None."""

    def __set_name__(self, owner: type[Clip], name: str) -> None:
        self.name = name

    def __get__(self, clip: Clip | None, owner: type[Clip]) -> NDArray[Any] | None:
        source = None if clip is None else clip.__dict__[self.name]  # None is the default of the field
        return None if source is None else np.asarray(source)

    def __set__(self, clip: Clip, source: FrameSource | None) -> None:
        clip.__dict__[self.name] = source


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
            view widths at scale 1, and the natural logarithm of the scale (how many times wider the view is). For
            places in space P = 5: x, y, z of the camera (z up), yaw (degrees, anticlockwise seen from above, 0 looks
            along x) and pitch (degrees, up).
        revisit: (T,) int64, the latest earlier frame with the same view, or ``NO_REVISIT``.
        intrinsics: (4,) float64 in pixels of this clip's frames, or None: fx, fy, cx, cy of a pinhole camera. The
            pixel in column u and row v looks along forward + (u + 0.5 - cx) / fx right - (v + 0.5 - cy) / fy up.
        depth: (T, H, W) float32, distance along the optical axis in the unit of the pose, infinite where there is
            only sky; or None. Decoded when it is read, as ``frames`` are.
        overlap: (T, T) float64, or None: [i, j] is the share of the pixels of frame i whose place frame j < i shows;
            0 for j >= i, and where nobody measured it.
        pixel_gap: (T, H, W) uint16, or None: how many frames before frame i the last *given* frame shows the place
            that this pixel shows; 0 where no given frame does. Decoded when it is read.
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
    intrinsics: NDArray[np.float64] | None = None
    depth: _Planes = _Planes()
    overlap: NDArray[np.float64] | None = None
    pixel_gap: _Planes = _Planes()

    @property
    def source(self) -> FrameSource:
        """What ``frames`` was set to."""
        source: FrameSource = self.__dict__["frames"]
        return source

    def part(self, start: int, stop: int | None = None) -> Stretch:
        """Frames [start, stop), read a few at a time where they are not in memory."""
        return Stretch(self.source, start, len(self) if stop is None else stop)

    def planes_part(self, name: str, start: int, stop: int | None = None) -> NDArray[Any] | None:
        """Planes [start, stop) of ``depth`` or ``pixel_gap``, without the others in memory; None where it has none."""
        source = self.__dict__[name]
        return None if source is None else np.asarray(source[start : len(self) if stop is None else stop])

    @property
    def planes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of ``depth`` and ``pixel_gap``, of those that there are; nothing is decoded."""
        sources = {name: self.__dict__[name] for name in ("depth", "pixel_gap")}
        return {name: tuple(source.shape) for name, source in sources.items() if source is not None}

    def __len__(self) -> int:
        return self.source.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of a frame, in pixels."""
        height, width = self.source.shape[1:3]
        return height, width

    @property
    def gap(self) -> NDArray[np.int64]:
        """(T,) int64: frames since this view was last seen; ``NO_REVISIT`` where it never was.

        Where overlap is known, a view was seen in a given frame that shows ``SAME_VIEW`` of it or more: the model
        was shown that frame, while its own frames, however near, show what it made of the place. In a clip that
        explores those are what it comes back to, so that ``revisit`` decides there.
        """
        frame = np.arange(len(self.revisit))
        last = self.revisit if self.overlap is None or self.explores else self._last_given(self.overlap)
        return np.where(last == NO_REVISIT, NO_REVISIT, frame - last)

    def _last_given(self, overlap: NDArray[np.float64]) -> NDArray[np.int64]:
        """(T,) the latest given frame that shows half of a view, or ``NO_REVISIT``."""
        seen = overlap[:, : self.switch] >= SAME_VIEW
        return np.where(seen.any(axis=1), self.switch - 1 - seen[:, ::-1].argmax(axis=1), NO_REVISIT)

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
        arrays = ("pose", "intrinsics", "overlap", "depth", "pixel_gap")
        return (
            all(getattr(self, name) == getattr(other, name) for name in plain)
            and np.array_equal(self.revisit, other.revisit)
            and self.source.shape == other.source.shape
            and all(_same(getattr(self, name), getattr(other, name)) for name in arrays)
            and np.array_equal(self.frames, other.frames)
        )


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
