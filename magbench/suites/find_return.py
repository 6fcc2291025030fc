"""Where a film turns and what its return shows, from how much its frames overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.clip import SAME_VIEW
from magbench.suites.rivals import outdone
from magbench.video.overlap import features, overlap

STEP = 3
"""Frames from one that is looked at to the next; between them overlap is interpolated."""
LEFT = 0.3
"""A view is left once a frame shows less of it than this."""
RETURN = 0.08
"""Share of a film's frames that must show a place again; below, the camera did not come back."""
SUPPORT = 2
"""Neighbours in time that must have been found too."""
SHARP = 8
"""Power of the shares by which the place of a frame on the way out is weighed: the most alike decide."""
DOUBTFUL, WRONG = 2.0, 5.0
"""Times the matches of a rival place from which the turn does not heed a pair, and from which it is none."""
FEWEST = 4
"""Frames that were looked at and show a place again, at least."""

Shares = NDArray[np.float64]
"""(n, n): [i, j] is the share of frame i that frame j < i shows."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the frames of a film show of each other, at every ``STEP``-th frame.

    Attributes:
        frames: (n,) the frames that were looked at.
        shares: see ``Shares``.
        back: (n, n), likewise the share of frame j that frame i shows: seen from farther away, all of a view is there.
        confidence: (n, n) in [0, 1].
        matches: (n, n) that speak for a pair.
    """

    frames: NDArray[np.int64]
    shares: Shares
    back: Shares
    confidence: NDArray[np.float64]
    matches: NDArray[np.int64]

    def without(self, pairs: NDArray[np.bool_]) -> Seen:
        """The same, but nothing is known of these pairs (n, n)."""
        kept = (np.where(pairs, 0, each) for each in (self.shares, self.back, self.confidence, self.matches))
        return Seen(self.frames, *kept)

    def settled(self, times: float) -> Seen:
        """Without the pairs that a place which looks alike outdoes."""
        return self.without(outdone(self.shares, self.back, self.matches, times))


def look(video: NDArray[np.uint8]) -> Seen:
    """Compare every ``STEP``-th frame of (T, H, W, 3) with every earlier one."""
    frames = np.arange(0, len(video), STEP)
    found = [features(video[frame]) for frame in frames]
    shares, back, confidence = np.zeros((3, len(frames), len(frames)))
    matches = np.zeros(shares.shape, np.int64)
    for i in range(len(frames)):
        for j in range(i):
            pair = overlap(found[i], found[j])
            shares[i, j], back[i, j], confidence[i, j] = pair.share, pair.back, pair.confidence
            matches[i, j] = pair.matches
    return Seen(frames, shares, back, confidence, matches).without(_alone(confidence > 0)).settled(WRONG)


def _alone(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pairs of which no neighbour in time was found: a chance, and no place."""
    padded = np.pad(found | found.T | np.eye(len(found), dtype=bool), 1)
    size = len(found)
    moves = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
    near = np.sum([padded[1 + a : 1 + a + size, 1 + b : 1 + b + size] for a, b in moves], axis=0)
    return np.asarray(found & (near < SUPPORT))


def revisits(seen: Seen) -> NDArray[np.bool_]:
    """(n, n): frame i shows the place of frame j again, after it had been left in between."""
    count = len(seen.frames)
    same = (seen.shares >= SAME_VIEW) & (seen.confidence > 0)
    again = np.zeros((count, count), bool)
    for i in range(count):
        away = np.flatnonzero(seen.shares[i, :i] < LEFT)
        if len(away):
            again[i, : away[-1]] = same[i, : away[-1]]
            # a frame that failed to match beside ones that did is no absence
            for j in np.flatnonzero(again[i]):
                again[i, j] = (seen.shares[i, j + 1 : i] < LEFT).sum() >= 2
    return again


def find_turn(seen: Seen) -> int:
    """The frame at which the camera turns back.

    What a frame shows again lies before the turn about as far as the frame lies behind it: a line through these pairs
    meets the present at the turn.

    Raises:
        MagbenchError: the camera never comes back.
    """
    seen = seen.settled(DOUBTFUL)
    again = revisits(seen)
    back = np.flatnonzero(again.any(axis=1))
    if len(back) < max(FEWEST, RETURN * len(seen.frames)):
        shown = f"{len(back)} of {len(seen.frames)} frames looked at"
        raise MagbenchError(f"the camera does not come back: {shown} show a place that was left before")
    weight = np.where(again[back], np.sqrt(seen.shares[back] * seen.back[back]), 0) ** SHARP
    back, weight = back[weight.sum(axis=1) > 0], weight[weight.sum(axis=1) > 0]
    best = (weight @ seen.frames) / weight.sum(axis=1)
    nearest = np.argsort(seen.frames[back] - best)[: max(FEWEST, len(back) // 2)]
    later, earlier = seen.frames[back[nearest]], best[nearest]
    slopes = [
        (earlier[b] - earlier[a]) / (later[b] - later[a])
        for a in range(len(later))
        for b in range(a)
        if later[a] != later[b]
    ]
    slope = float(np.clip(np.median(slopes), -2.0, -0.5))  # Theil-Sen; the way back at half to twice the speed
    offset = float(np.median(earlier - slope * later))
    first, last = int(best.min()), int(seen.frames[back].max())
    return int(np.clip(round(offset / (1 - slope)), first + 1, last - 1))


def spread(seen: Seen, length: int) -> Shares:
    """(T, T) shares of all frames, between those that were looked at by interpolation; 0 without evidence."""
    known = np.where(seen.confidence > 0, seen.shares, 0.0)
    whole = known + known.T + np.eye(len(known))  # symmetric, so that the diagonal does not pull down
    place = np.minimum(np.arange(length) / STEP, len(known) - 1)
    low = np.minimum(place.astype(int), len(known) - 2)
    part = (place - low)[:, None]
    rows = whole[low] * (1 - part) + whole[low + 1] * part
    both = rows[:, low] * (1 - part.T) + rows[:, low + 1] * part.T
    return np.tril(np.clip(both, 0, 1), -1)
