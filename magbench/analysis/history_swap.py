"""The same task with its far history swapped for another scene's: what the history effect asks of a model.

Given frames [0, switch - window) become those of another clip, under the same cameras; the last ``window`` given
frames stay. Of a clip's return those frames count whose view was last seen in the swapped part: a model without
memory makes them as before, one that remembers makes what the other scene shows there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.generation.sources import other_scene
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.frames import Whole


@dataclass(frozen=True)
class Swap:
    """One clip and the scene that takes the place of its far history.

    Attributes:
        clip: as it is in the suite.
        other: whose frames [0, far) are given instead.
        far: frames that are swapped.
        frames: (n,) int64, frames of the return whose view was last seen before ``far``; n > 0.
    """

    clip: Clip
    other: Clip
    far: int
    frames: NDArray[np.int64]

    @property
    def swapped_clip(self) -> Clip:
        """The clip of the task: it has the id, cameras and text of ``clip``."""
        return replace(self.clip, frames=_Swapped(self.clip, self.other, self.far))

    def truth_and_target(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """(n, H, W, 3) uint8 each: what ``frames`` show in the clip, and what the other scene shows in that place."""
        return self.clip.frames[self.frames], self.other.frames[self.clip.revisit[self.frames]]


@dataclass(frozen=True)
class _Swapped(Whole):
    """Frames of a clip with a far history that is not its own; they are put together when they are read."""

    clip: Clip
    other: Clip
    far: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.clip.source.shape

    @property
    def __array__(self) -> Callable[..., NDArray[Any]]:
        return self._together

    def _together(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.concatenate([self.other.frames[: self.far], self.clip.frames[self.far :]]).astype(dtype or np.uint8)


def swap_of(suite: Suite, clip: Clip) -> Swap | None:
    """How a clip's history is swapped; None where the suite has no other scene for it, or no frame counts.

    The other scene is the next clip of the same length, frame size, category and speed, so that its camera moved
    alike; where the suite has none such, the next of the same length and frame size.
    """
    alike = [c for c in suite.clips if c.id == clip.id or (c.category, c.speed) == (clip.category, clip.speed)]
    other = other_scene(replace(suite, clips=tuple(alike)), clip) or other_scene(suite, clip)
    far = clip.switch - suite.window
    back = np.arange(clip.switch, len(clip))
    frames = back[(clip.revisit[back] >= 0) & (clip.revisit[back] < far)]
    return None if other is None or len(frames) == 0 else Swap(clip, other, far, frames)
