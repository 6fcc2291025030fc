"""Where a film turns and what its return shows: the way back laid onto the way out, and followed along it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.way_back import Alike, WayBack, near, places, way_back
from magbench.video.overlap import Overlap, features, overlap, small_grey
from magbench.video.tracks import Film, Flow, Grey, Points, grid, inside, leap, moved, sampled

STEP, MOST = 3, 70
"""Frames from one that is looked at to the next, and how many are looked at, at most: in a long film fewer of them."""
LEFT = 0.3
"""A view is left once a frame shows less of it than this."""
FEWEST, RETURN = 4, 0.08
"""Frames that were looked at, and their share, that must show a place again that was left; else nothing came back."""
POOR, PLAIN = 0.1, 0.65
"""How much alike the chain's pairs must be, but for this share of them: where all looks alike, a chain is no return."""
AWRY = 0.04
"""Of the width: a point that does not come back as near as this when it is followed there and back was hidden; farther
by the root of how much smaller the other frame shows it."""
CAUTION, MOST_CAUTION = 3.0, 0.1
"""What is taken off a share: so many times the parallax, at most the second. Where the camera walked, and did not only
turn, less is known, and what is about half seen counts as new rather than as seen."""
FEW = 12
"""Points that say nothing about parallax."""

Shares = NDArray[np.float64]
"""(n, n): [i, j] is the share of frame i that frame j < i shows."""


@dataclass(frozen=True, eq=False)
class Looked:
    """A film in which some frames were compared and points of them followed.

    Attributes:
        frames: (n,) those that were looked at.
        pictures: of each of them.
        alike: (n, n), how much each looks like each earlier one.
        pairs: (i, j) -> what was found of frame i in frame j < i, where there is evidence.
        film: the flow from every frame to its neighbours.
        followed: (n, n, rows, columns, 2) where the points of frame i are in frame j, step by step.
    """

    frames: NDArray[np.int64]
    pictures: list[Grey]
    alike: Alike
    pairs: dict[tuple[int, int], Overlap]
    film: Film
    followed: Points


@dataclass(frozen=True, eq=False)
class Seen:
    """What the frames of a film show of each other.

    Attributes:
        frames: (n,) the frames that were looked at.
        shares: see ``Shares``.
        confidence: (n, n) in [0, 1].
    """

    frames: NDArray[np.int64]
    shares: Shares
    confidence: NDArray[np.float64]


def look(video: NDArray[np.uint8]) -> Looked:
    """Compare frames of (T, H, W, 3) with each other, and follow points from each to each."""
    step = max(STEP, -(-len(video) // MOST))
    frames = np.arange(0, len(video), step)
    greys = [small_grey(frame) for frame in video]
    found = [features(greys[frame]) for frame in frames]
    pairs = {(i, j): overlap(found[i], found[j]) for i in range(len(frames)) for j in range(i)}
    pairs = {pair: seen for pair, seen in pairs.items() if seen.homography is not None}
    alike = np.zeros((len(frames), len(frames)))
    for pair, seen in pairs.items():
        alike[pair] = seen.alike
    film = Film.of(greys)
    points = grid(film.size)
    followed = np.stack([_to_all(film, points, frame, frames) for frame in frames.tolist()])
    return Looked(frames, [greys[frame] for frame in frames], alike, pairs, film, followed)


def _to_all(film: Film, points: Points, start: int, frames: NDArray[np.int64]) -> Points:
    """(n, rows, columns, 2) points of one frame in others, before and after it."""
    found = film.follow(points, start, int(frames[0])) | film.follow(points, start, int(frames[-1]))
    return np.stack([found[frame] for frame in frames.tolist()])


def find_way(looked: Looked, turn: int | None = None) -> WayBack:
    """The way back: the longest chain of pairs, from the turn on, of which each leads to the next.

    Args:
        turn: the frame at which it turns, if somebody says so; then nothing is doubted.

    Raises:
        MagbenchError: the camera never comes back.
    """
    if turn is not None:
        at = int(np.abs(looked.frames - turn).argmin())
        return way_back(looked.alike, [min(max(at, 1), len(looked.frames) - 2)])
    way = way_back(looked.alike, range(1, len(looked.frames) - 1))
    again = _left(looked, way)
    likeness = near(way, looked.alike)[again]
    if again.sum() < max(FEWEST, RETURN * len(looked.frames)):
        shown = f"{again.sum()} of {len(looked.frames)} frames looked at"
        raise MagbenchError(f"the camera does not come back: {shown} show a place that was left before")
    if np.quantile(likeness, POOR) < PLAIN:
        raise MagbenchError("the camera does not come back, or everything looks alike: no frame stands out as the same")
    return way


def _left(looked: Looked, way: WayBack) -> NDArray[np.bool_]:
    """(m,) whether the view of each frame of the way back had been left since it was shown."""
    turn = way.first - 1
    shown = np.array([_share(looked, looked.followed[i, turn], looked.followed[turn, i]) for i in way.frames])
    return np.minimum.accumulate(shown) < LEFT


def find_turn(looked: Looked, way: WayBack) -> int:
    """The frame at which the camera turns: where a line through the chain meets the present.

    The nearer half of the frames whose view had been left decide, by the median of all slopes between them (Theil and
    Sen); the way back may be at half to twice the speed.
    """
    again = np.flatnonzero(_left(looked, way))
    nearest = again[: max(FEWEST, len(again) * 2 // 3)]
    step = looked.frames[1] - looked.frames[0]
    later, earlier = step * way.frames[nearest], step * places(way, looked.alike)[nearest]
    slopes = [(earlier[b] - earlier[a]) / (later[b] - later[a]) for a in range(len(later)) for b in range(a)]
    slope = float(np.clip(np.median(slopes), -2.0, -0.5))
    return round(float(np.median(earlier - slope * later)) / (1 - slope))


def see(looked: Looked, way: WayBack) -> Seen:
    """What every frame shows of every earlier one.

    From the way back there is one leap, from each frame to one of the way out that is like it, by their homography and
    the flow that is left; from there, and between frames of one way, points are followed. Of the leaps that are known
    the one is taken that lands nearest to the frame that is asked for: what one in between does not show is lost.
    """
    count, turn = len(looked.frames), way.first - 1
    there = looked.followed.copy()
    sure = np.tri(count, k=-1)
    leaps = _leaps(looked, way)
    for i in range(turn + 1, count):
        if not leaps:
            there[i, : turn + 1] = there[: turn + 1, i] = np.nan
            continue
        last = min(leaps, key=lambda frame: abs(frame - i))
        far = np.abs(np.array([over.onto for over in leaps[last]])[:, None] - np.arange(turn + 1))
        for over, nearest in zip(leaps[last], far == far.min(axis=0), strict=True):
            own = np.flatnonzero(nearest)
            sure[i, own] = over.confidence
            start = moved(looked.followed[i, last], over.there, looked.film.size)
            there[i, own] = _to_all(looked.film, start, int(looked.frames[over.onto]), looked.frames[own])
            for j in own.tolist():
                points = moved(looked.followed[j, over.onto], over.back, looked.film.size)
                way_on = looked.film.follow(points, int(looked.frames[last]), int(looked.frames[i]))
                there[j, i] = way_on[int(looked.frames[i])]
    shares = np.zeros((count, count))
    for i in range(count):
        for j in range(i):
            shares[i, j] = _share(looked, there[i, j], there[j, i])
    return Seen(looked.frames, shares, sure)


@dataclass(frozen=True, eq=False)
class _Leap:
    """From a frame of the way back ``onto`` one of the way out: flow there and back, and how sure it is."""

    onto: int
    there: Flow
    back: Flow
    confidence: float


def _leaps(looked: Looked, way: WayBack) -> dict[int, list[_Leap]]:
    """Of each frame of the way back for which there is evidence; onto those near its place in the chain."""
    leaps: dict[int, list[_Leap]] = {}
    for frame, shows in zip(way.frames.tolist(), way.shows.tolist(), strict=True):
        for onto in (shows - 1, shows, shows + 1):
            if onto >= way.first or (frame, onto) not in looked.pairs:
                continue
            pair, here, there = looked.pairs[frame, onto], looked.pictures[frame], looked.pictures[onto]
            assert pair.homography is not None
            inverse = np.asarray(np.linalg.inv(pair.homography), np.float64)
            found = _Leap(onto, leap(here, there, pair.homography), leap(there, here, inverse), pair.confidence)
            leaps.setdefault(frame, []).append(found)
    return leaps


def _share(looked: Looked, there: Points, back: Points) -> float:
    """The share of a frame's points that are in another, ``there``, whose own points are ``back`` in the first."""
    size = looked.film.size
    points, kept = grid(size), ~np.isnan(there[..., 0])
    if kept.sum() < 2:
        return 0.0
    larger = points[kept].var(axis=0).sum() / max(there[kept].var(axis=0).sum(), 1e-6)
    near_enough = AWRY * size[1] * max(1.0, float(larger)) ** 0.25
    with np.errstate(invalid="ignore"):
        off = np.linalg.norm(sampled(back, there, size) - points, axis=-1)
        share = float((inside(there, size) & (off < near_enough)).mean())
    return max(0.0, share - min(CAUTION * _parallax(there, size), MOST_CAUTION))


def _parallax(there: Points, size: tuple[int, int]) -> float:
    """How far followed points are from one homography, a root mean square in widths: 0 where a camera only turns."""
    kept = inside(there, size)  # of those that were lost none is
    if kept.sum() < FEW:
        return np.inf
    before, after = (np.ascontiguousarray(points[kept], np.float32)[:, None] for points in (grid(size), there))
    homography, _ = cv2.findHomography(before, after, 0)
    if homography is None:
        return np.inf
    off = cv2.perspectiveTransform(before, homography) - after
    return float(np.sqrt(np.square(off).sum(-1).mean())) / size[1]


def spread(seen: Seen, length: int) -> Shares:
    """(T, T) shares of all frames, between those that were looked at by interpolation.

    Linear over triangles: a square of four known shares is cut along the diagonal that is higher. So the ridge of a way
    back, on which a frame shows what an earlier one showed, stays a ridge between the known ones.
    """
    step = seen.frames[1] - seen.frames[0]
    whole = seen.shares + seen.shares.T + np.eye(len(seen.shares))  # symmetric, so that the diagonal does not pull down
    place = np.minimum(np.arange(length) / step, len(whole) - 1)
    low = np.minimum(place.astype(int), len(whole) - 2)
    u, v = np.meshgrid(place - low, place - low, indexing="ij")
    here, down, across, beyond = (whole[np.ix_(low + i, low + j)] for i, j in ((0, 0), (1, 0), (0, 1), (1, 1)))
    before, behind = here + u * (down - here) + v * (across - here), across + down - beyond
    behind = behind + u * (beyond - across) + v * (beyond - down)
    lower, upper = here + u * (down - here) + v * (beyond - down), here + v * (across - here) + u * (beyond - across)
    falling, rising = np.where(u + v <= 1, before, behind), np.where(u >= v, lower, upper)
    return np.tril(np.clip(np.where(down + across >= here + beyond, falling, rising), 0, 1), -1)
