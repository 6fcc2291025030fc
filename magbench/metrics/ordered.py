"""An order-preserving match of a generated return to the true one: tolerant of camera speed, intolerant of tricks.

The match is a path through the LPIPS matrix that goes forward in both videos at half to twice the true speed,
starts and ends where it likes, and stands still only on the last true frame. Every true frame that it does not show
and every generated frame that does not belong on it cost, and so does what is not in its place in the frame. Formulas,
reasons and limits: docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from magbench.metrics.in_place import counted
from magbench.metrics.matrix import Matrix
from magbench.metrics.pair import Match, Pair, Values

RANGE = 0.05
"""LPIPS. A return whose frames differ by less from its other views cannot tell a match from a miss."""
DETOUR = 0.25
"""A generated frame that is nearer to another true frame, by this share of the scale, does not belong here."""
SHOWN = 0.5
"""Similarity from which a frame counts as shown, or as belonging; below, in proportion."""

NEW, STEP, SKIP, BETWEEN = range(4)
"""How a path comes to a cell: it begins, one frame in both, over a true frame, over a generated frame."""


@dataclass(frozen=True)
class OrderedScores:
    """The ordered match of n generated frames to m true ones.

    Attributes:
        score: (m,) in [0, 1], similarity of each true frame times the precision of the whole return.
        similarity: (m,) in [0, 1], how well each true frame is shown, 0 where the path does not go.
        coverage: (m,) in [0, 1], whether each true frame is shown at all.
        lpips: (m,) LPIPS of the match; where there is none, the scale: the mean distance of that true frame from
            the farther half of the others.
        belonging: (n,) in [0, 1], whether each generated frame belongs where the path has it; their mean is the
            precision.
        path: (k, 2) int64, the matched (generated, true) frames, in order.
    """

    score: Values
    similarity: Values
    coverage: Values
    lpips: Values
    belonging: Values
    path: Match


def ordered_of(pair: Pair) -> OrderedScores | None:
    """The ordered match of a pair; None if the true return has no range."""
    if len(pair) < 2:
        return None
    among = pair.among
    return ordered(pair.distances, among, pair.in_place)


def ordered(distance: Matrix, among: Matrix, in_place: Matrix) -> OrderedScores | None:
    """Match in order.

    Args:
        distance: (n, m) LPIPS of generated (row) against true frames.
        among: (m, m) LPIPS of the true frames among themselves.
        in_place: (n, m) in [0, 1], see :mod:`magbench.metrics.in_place`.

    Returns:
        None if the mean scale is under `RANGE`: nothing can be told apart.
    """
    frames = len(among)
    scale = np.sort(among, axis=1)[:, -(frames // 2) :].mean(axis=1)
    if scale.mean() < RANGE:
        return None
    scale = np.maximum(scale, RANGE)
    similar = np.clip(1 - distance / scale, 0, 1)
    detour = distance - distance.min(axis=1, keepdims=True)
    here = np.clip(1 - detour / (DETOUR * scale), 0, 1)
    shows, belongs = similar * here, np.minimum(1, similar / SHOWN) * here
    path, how = _best_path(shows, belongs)
    placed = counted(_along(in_place, path, how))[:, None]
    shows, belongs = shows * placed, belongs * placed
    similarity, nearest = np.zeros(frames), scale.copy()
    belonging = np.zeros(len(distance))
    for (i, j), step in zip(path.tolist(), how, strict=True):
        similarity[j], belonging[i] = shows[i, j], belongs[i, j]
        nearest[j] = distance[i, j]
        if step == SKIP:
            similarity[j - 1] = min(shows[i - 1, j - 2], shows[i, j])
            nearest[j - 1] = max(distance[i - 1, j - 2], distance[i, j])
        if step == BETWEEN:
            belonging[i - 1] = max(belongs[i - 1, j - 1], belongs[i - 1, j])
    end, last = path[-1]
    if last == frames - 1:
        belonging[end + 1 :] = belongs[end + 1 :, last]
    return OrderedScores(
        score=similarity * belonging.mean(),
        similarity=similarity,
        coverage=np.minimum(1, similarity / SHOWN),
        lpips=np.where(similarity > 0, nearest, scale),
        belonging=belonging,
        path=path,
    )


def _along(in_place: Matrix, path: Match, how: list[int]) -> Values:
    """(n,) the agreement in place of each generated frame with its true frame on the path; 0 off the path."""
    found = np.zeros(len(in_place))
    for (i, j), step in zip(path.tolist(), how, strict=True):
        found[i] = in_place[i, j]
        if step == BETWEEN:
            found[i - 1] = max(in_place[i - 1, j - 1], in_place[i - 1, j])
    end, last = path[-1]
    found[end + 1 :] = in_place[end + 1 :, last]
    return found


def _best_path(shows: Matrix, belongs: Matrix) -> tuple[Match, list[int]]:
    """The path with the greatest sum of similarity over true frames and of belonging over generated frames.

    Returns:
        Its (k, 2) cells, and how it came to each. Among equals: the shorter, then the one with plain steps.
    """
    count, frames = shows.shape
    skipped, between = np.zeros_like(shows), np.zeros_like(shows)
    skipped[1:, 2:] = np.minimum(shows[:-1, :-2], shows[1:, 2:])
    between[:, 1:] = np.maximum(belongs[:, :-1], belongs[:, 1:])
    best = np.full((count + 2, frames + 2), -np.inf)  # two rows and columns in front that no path comes from
    came = np.empty(shows.shape, np.int64)
    for i in range(count):
        before, earlier = best[i + 1], best[i]
        ways = np.zeros((4, frames))
        ways[STEP] = before[1:-1]
        ways[SKIP] = before[:-2] + skipped[i]
        ways[BETWEEN] = earlier[1:-1] + between[i - 1]
        came[i] = ways.argmax(axis=0)
        best[i + 2, 2:] = ways.max(axis=0) + shows[i] + belongs[i]
    total = best[2:, 2:]
    total[:-1, -1] += belongs[:0:-1, -1].cumsum()[::-1]  # standing on the last true frame, once it is reached
    i, j = (int(place) for place in np.unravel_index(total.argmax(), total.shape))
    cells, how = [(i, j)], [int(came[i, j])]
    while how[-1] != NEW:
        step = how[-1]
        i, j = i - 1 - (step == BETWEEN), j - 1 - (step == SKIP)
        cells.append((i, j))
        how.append(int(came[i, j]))
    return np.array(cells[::-1]), how[::-1]
