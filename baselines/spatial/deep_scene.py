"""Worlds whose held frames have depth: every pixel is a point in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from baselines.spatial.camera import Floats, Pinhole, axes
from baselines.spatial.held_view import HeldView, Mask
from baselines.spatial.scene import CELLS, Coverage, Seen

FAR = 1e6
"""Depth that stands for the sky's, in units of length."""
NEAR = 1e-3
"""Depth behind which a point is in front of the camera."""
AGREES = 0.05
"""Relative: how far depths of one surface may differ between two views."""
POINTS = 32
"""Points across and down of a held frame by which overlap is counted."""
CRACK = 0.6
"""Share of known neighbours from which a pixel between points belongs to their surface."""


@dataclass(frozen=True)
class DeepScene:
    """Warp by depth: points are projected, the nearest wins, and colours are read where they come from."""

    lens: Pinhole

    def coverage(self, held: Sequence[HeldView], pose: NDArray[np.float64]) -> Coverage:
        """A point counts where none of any held frame is before it."""
        found = [self._coarse(view, pose) for view in held]
        nearest = np.full(CELLS * CELLS, np.inf)
        for cell, depth, _ in found:
            np.minimum.at(nearest, cell, depth)
        cells, shifts = np.zeros((len(held), CELLS * CELLS), bool), np.zeros(len(held))
        for number, (cell, depth, shift) in enumerate(found):
            visible = depth <= nearest[cell] * (1 + AGREES)
            cells[number, cell[visible]] = True
            shifts[number] = shift[visible].mean() if visible.any() else 0.0
        return Coverage(cells, shifts)

    def seen_from(self, view: HeldView, pose: NDArray[np.float64]) -> Seen:
        height, width = view.known.shape
        grid = _grid(height, width)
        x, y, ahead = self._moved(grid[view.known], _depth(view)[view.known], view.pose, pose)
        inside = (ahead > NEAR) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        buffer = np.full(height * width, np.inf)
        np.minimum.at(buffer, y[inside].astype(int) * width + x[inside].astype(int), ahead[inside])
        depth = _without_cracks(buffer.reshape(height, width))
        hit = np.isfinite(depth)
        back_x, back_y, back = self._moved(grid, np.where(hit, depth, FAR), pose, view.pose)
        maps = (back_x - 0.5).astype(np.float32), (back_y - 0.5).astype(np.float32)
        image = cv2.remap(view.image, *maps, interpolation=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        column, row = (np.nan_to_num(axis).clip(-1, 1e6).astype(int) for axis in (back_x, back_y))
        within = hit & (back > NEAR) & (back_x >= 0) & (column < width) & (back_y >= 0) & (row < height)
        row, column = row.clip(0, height - 1), column.clip(0, width - 1)
        same = np.abs(_depth(view)[row, column] - back) <= AGREES * back
        known: Mask = within & same & view.known[row, column]
        depth = np.where(depth >= FAR / 2, np.inf, depth)
        return Seen(np.asarray(image, np.uint8), known, np.where(known, depth, np.inf).astype(np.float32))

    def _coarse(self, view: HeldView, pose: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
        """Cell of the asked view, depth there and shift in frame widths of a grid of points of a held frame."""
        height, width = view.known.shape
        rows = ((np.arange(POINTS) + 0.5) / POINTS * height).astype(int)
        columns = ((np.arange(POINTS) + 0.5) / POINTS * width).astype(int)
        chosen = np.ix_(rows, columns)
        known, grid = view.known[chosen], _grid(height, width)[chosen]
        x, y, ahead = self._moved(grid[known], _depth(view)[chosen][known], view.pose, pose)
        inside = (ahead > NEAR) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        cell = (y[inside] / height * CELLS).astype(int) * CELLS + (x[inside] / width * CELLS).astype(int)
        shift = np.hypot(x - grid[known][:, 0], y - grid[known][:, 1])[inside] / width
        return cell, ahead[inside], shift

    def _moved(self, pixels: Floats, depth: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
        """Column, row and depth in another camera of pixels (..., 2) with depth (...) in one."""
        ahead = np.concatenate([pixels, np.ones((*pixels.shape[:-1], 1))], axis=-1) @ np.linalg.inv(self.lens.matrix).T
        turn = axes(one).T @ ahead[..., None]
        points = turn[..., 0] * depth[..., None] + (one[:3] - other[:3])
        x, y, deep = np.moveaxis(points @ (self.lens.matrix @ axes(other)).T, -1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return x / deep, y / deep, deep


def _grid(height: int, width: int) -> Floats:
    """(H, W, 2) column and row of the middle of each pixel."""
    return np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)


def _depth(view: HeldView) -> Floats:
    assert view.depth is not None  # a deep scene's frames all have it
    return np.minimum(view.depth, FAR).astype(np.float64)


def _without_cracks(depth: Floats) -> Floats:
    """Close what lies between the points of one surface."""
    hit = np.isfinite(depth)
    share = cv2.blur(hit.astype(np.float64), (3, 3), borderType=cv2.BORDER_REPLICATE)
    total = cv2.blur(np.where(hit, 1 / np.where(hit, depth, 1), 0), (3, 3), borderType=cv2.BORDER_REPLICATE)
    crack = ~hit & (share >= CRACK)
    return np.where(crack, share / np.maximum(total, 1e-12), depth)
