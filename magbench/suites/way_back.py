"""The way back of a film, found in how much its frames look alike: a chain that begins where the camera turns.

A frame just behind the turn looks like the one just before it, the next like the one before that, and so on: a true
return is an unbroken chain of pairs from the present backwards. Rooms that look alike, or the four sides of a pillar,
give pairs too, but none that the turn leads to step by step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.4
"""How much alike two frames must be to lengthen the chain; pairs that are less shorten it."""
COST = (0.25, 0.0, 0.05, 0.1)
"""Of 0, 1, 2, 3 steps back on the way out for one step of the way back: a camera that comes back moves, while all sides
of a pillar look like one view of it."""
AROUND = 2
"""Steps around the chain among which the place of a frame is weighed,"""
SHARP = 8
"""by this power of how much alike they are."""

Alike = NDArray[np.float64]
"""(n, n) in [0, 1]: [i, j] says how much frame i looks like frame j < i."""


@dataclass(frozen=True, eq=False)
class WayBack:
    """A chain: frame ``first + k`` of those that were looked at shows the place of frame ``shows[k]``.

    Attributes:
        first: the frame behind the turn; the turn itself is ``first - 1``.
        shows: (m,) never rises.
        gain: what the chain's pairs are alike beyond ``ALIKE``, in all.
    """

    first: int
    shows: NDArray[np.int64]
    gain: float

    @property
    def frames(self) -> NDArray[np.int64]:
        """(m,) the frames of the way back."""
        return self.first + np.arange(len(self.shows))


def way_back(alike: Alike, turns: Iterable[int]) -> WayBack:
    """The chain that gains most, of those that begin at one of some turns; it may say nothing."""
    return max((_from(turn, alike) for turn in turns), key=lambda way: way.gain)


def _from(turn: int, alike: Alike) -> WayBack:
    """The best chain that begins at a turn, by dynamic programming."""
    count = len(alike) - turn - 1
    best = np.full((count + 1, turn + len(COST)), -np.inf)
    best[0, turn] = 0.0
    step = np.zeros((count + 1, turn + 1), np.int64)
    for k in range(1, count + 1):
        choices = np.stack([best[k - 1, s : s + turn + 1] - cost for s, cost in enumerate(COST)])
        step[k] = choices.argmax(axis=0)
        best[k, : turn + 1] = choices.max(axis=0) + alike[turn + k, : turn + 1] - ALIKE
    last, place = divmod(int(best[1:, : turn + 1].argmax()), turn + 1)
    last += 1
    shows = np.zeros(last, np.int64)
    for k in range(last, 0, -1):
        shows[k - 1] = place
        place += int(step[k, place])
    return WayBack(turn + 1, shows, float(best[last, shows[-1]]))


def places(way: WayBack, alike: Alike) -> NDArray[np.float64]:
    """(m,) where on the way out each frame of the way back is, between the frames that were looked at."""
    found = way.shows.astype(np.float64)
    for k, (frame, shows) in enumerate(zip(way.frames.tolist(), way.shows.tolist(), strict=True)):
        near = np.arange(max(0, shows - AROUND), min(frame, shows + AROUND + 1))
        weight = alike[frame, near] ** SHARP
        if weight.sum() > 0:
            found[k] = (weight @ near) / weight.sum()
    return found


def near(way: WayBack, alike: Alike) -> NDArray[np.float64]:
    """(m,) how much each frame of the way back is like what it shows, or a neighbour of that."""
    rows = zip(way.frames.tolist(), way.shows.tolist(), strict=True)
    return np.array([alike[frame, max(0, shows - 1) : min(frame, shows + 2)].max() for frame, shows in rows])
