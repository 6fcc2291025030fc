"""Where the points of a picture go in a film: dense flow from each frame to its neighbours, followed step by step.

Flow: Kroeger et al., "Fast optical flow using dense inverse search" (2016), by OpenCV. From one frame to the next
little moves and nothing is taken for something else, so that what is shown of a place long before is known without a
look at what is alike; see :mod:`magbench.suites.find_return` for the one leap from the way back to the way out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

GRID = (32, 48)
"""Rows and columns of points that are followed: the middles of equal cells of the picture."""
THIN = 2
"""Pixels, each way, that share one number of the flow."""
MARGIN = 0.05
"""Of the picture's sides: so far outside, a point is still followed, as a hand shakes."""
FAST = 0.05
"""Of the longer side: where most of a picture moves farther, some parts of it are lost at first."""
SMOOTH = 1.0
"""Pixels of the blur before flow is measured: grain is no motion."""

WINDOW, PLAIN = 15, 4.0
"""Pixels over which texture is pooled, and the least eigenvalue there that counts by half."""
REACH, TIED = 30.0, 1e-3
"""Pixels of the surroundings that say how a plain part moves, and the weight of the whole picture beside them."""

Points = NDArray[np.float32]
"""(..., 2): column and row in pixels of a picture; NaN where a point is lost."""
Grey = NDArray[np.uint8]
Flow = NDArray[np.float32]
"""(h, w, 2): how far the pixels of a picture move, one for each square of ``THIN``."""


def flow(one: Grey, other: Grey) -> Flow:
    """From one picture (H, W) to another; of a fast pan it is measured again, from where most of the picture goes."""
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    smooth = [cv2.GaussianBlur(each, (0, 0), SMOOTH) for each in (one, other)]
    found = search.calc(*smooth, None)
    most = np.median(found[::THIN, ::THIN].reshape(-1, 2), axis=0)
    if np.abs(most).max() > FAST * max(one.shape):
        found[:] = most
        found = search.calc(*smooth, found)
    return np.ascontiguousarray(found[::THIN, ::THIN])


def texture(grey: Grey) -> NDArray[np.float32]:
    """(h, w) in [0, 1], as thin as flow: how far motion can be seen at a pixel (Shi and Tomasi 1994, pooled)."""
    smooth = cv2.GaussianBlur(grey, (0, 0), SMOOTH).astype(np.float32)
    least = cv2.boxFilter(cv2.cornerMinEigenVal(smooth, WINDOW, ksize=3), -1, (WINDOW, WINDOW))[::THIN, ::THIN]
    return np.ascontiguousarray(least**2 / (least**2 + PLAIN**2))


def completed(by: Flow, seen: NDArray[np.float32]) -> Flow:
    """A flow in which plain parts move as their textured surroundings say: the affine motion that fits best there.

    Where nothing can be seen to move, as on a grey floor, flow stays behind; compression holds such parts still.
    """
    few, weight = by[::THIN, ::THIN].astype(np.float64), seen[::THIN, ::THIN].astype(np.float64)
    rows, columns = weight.shape
    y, x = np.mgrid[:rows, :columns] / columns - 0.5
    basis = np.stack([np.ones_like(x), x, y], axis=-1)
    root = np.sqrt(weight).reshape(-1, 1)
    whole = np.linalg.lstsq(basis.reshape(-1, 3) * root, few.reshape(-1, 2) * root, rcond=None)[0]
    gram = np.concatenate([basis[..., k : k + 1] * basis for k in range(3)], axis=-1)
    told = np.concatenate([basis[..., k : k + 1] * few for k in range(3)], axis=-1)
    gram, told = (_spread(each * weight[..., None]) for each in (gram, told))
    left = gram.reshape(rows, columns, 3, 3) + TIED * np.eye(3)
    fit = np.linalg.solve(left, told.reshape(rows, columns, 3, 2) + TIED * whole)
    told_here = (basis[..., None, :] @ fit)[..., 0, :].astype(np.float32)
    around = cv2.resize(told_here, by.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(seen[..., None] * by + (1 - seen[..., None]) * around)


def _spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means under a Gaussian, of channels of which OpenCV takes four at a time."""
    parts = [values[..., k : k + 4] for k in range(0, values.shape[-1], 4)]
    done = [cv2.GaussianBlur(part, (0, 0), REACH / THIN**2, borderType=cv2.BORDER_CONSTANT) for part in parts]
    return np.concatenate([part.reshape(*values.shape[:2], -1) for part in done], axis=-1)


def grid(size: tuple[int, int]) -> Points:
    """(rows, columns, 2) the points of ``GRID`` in a picture of ``size`` (H, W)."""
    (height, width), (rows, columns) = size, GRID
    x, y = (np.arange(columns) + 0.5) * width / columns - 0.5, (np.arange(rows) + 0.5) * height / rows - 0.5
    return np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)


def sampled(values: NDArray[np.float32], points: Points, size: tuple[int, int]) -> NDArray[np.float32]:
    """Values on the grid of a picture of ``size``, as (rows, columns, 2), of the cells in which points lie."""
    (height, width), (rows, columns) = size, GRID
    known = ~np.isnan(points[..., 0])
    place = np.where(known[..., None], points, 0)
    column = ((place[..., 0] + 0.5) * columns / width).astype(int).clip(0, columns - 1)
    row = ((place[..., 1] + 0.5) * rows / height).astype(int).clip(0, rows - 1)
    found = values[row, column] + place - grid(size)[row, column]
    return np.where(known[..., None], found, np.float32(np.nan))


def moved(points: Points, by: Flow, size: tuple[int, int], margin: float = MARGIN) -> Points:
    """Points after one flow; those that leave the picture of ``size`` by more than the margin are lost."""
    known = ~np.isnan(points[..., 0])
    at = np.where(known[..., None], points, 0) / np.float32(THIN)
    step = cv2.remap(by, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    there = points + step
    return np.where((known & inside(there, size, margin))[..., None], there, np.float32(np.nan))


def inside(points: Points, size: tuple[int, int], margin: float = 0.0) -> NDArray[np.bool_]:
    """Whether points lie in a picture of ``size``, or no more than the margin, a share of its sides, outside."""
    height, width = size
    x, y = points[..., 0] + 0.5, points[..., 1] + 0.5
    far_x, far_y = margin * width, margin * height
    with np.errstate(invalid="ignore"):
        return (x >= -far_x) & (x <= width + far_x) & (y >= -far_y) & (y <= height + far_y)


def leap(one: Grey, other: Grey, homography: NDArray[np.float64]) -> Flow:
    """From one picture to another that is not its neighbour, but nearly as a homography says."""
    height, width = one.shape
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpPerspective(other, homography, (width, height), flags=way, borderMode=cv2.BORDER_REPLICATE)
    pixels = np.stack(np.meshgrid(np.arange(0, width, THIN), np.arange(0, height, THIN)), axis=-1).astype(np.float32)
    at = pixels + flow(one, np.asarray(seen, np.uint8))
    return np.ascontiguousarray(cv2.perspectiveTransform(at.reshape(-1, 1, 2), homography).reshape(at.shape) - pixels)


@dataclass(frozen=True, eq=False)
class Film:
    """Flow between the neighbours among the frames of a film: ``ahead[t]`` from t to t + 1, ``back[t]`` from t + 1."""

    size: tuple[int, int]
    ahead: list[Flow]
    back: list[Flow]

    @classmethod
    def of(cls, greys: Sequence[Grey]) -> Film:
        """Of pictures (H, W) of one size."""
        seen = [texture(grey) for grey in greys]
        pairs = [*pairwise(greys)]
        ahead = [completed(flow(one, other), here) for (one, other), here in zip(pairs, seen[:-1], strict=True)]
        back = [completed(flow(other, one), there) for (one, other), there in zip(pairs, seen[1:], strict=True)]
        return cls(greys[0].shape[:2], ahead, back)

    def follow(self, points: Points, start: int, stop: int) -> dict[int, Points]:
        """Where points of frame ``start`` are in each frame on the way to ``stop``, both included."""
        found = {start: points}
        step = 1 if stop >= start else -1
        for frame in range(start, stop, step):
            by = self.ahead[frame] if step > 0 else self.back[frame - 1]
            points = found[frame + step] = moved(points, by, self.size)
        return found
