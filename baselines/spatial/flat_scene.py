"""Worlds in which a homography leads from view to view: a plane, or anything seen by a camera that only turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from baselines.spatial.camera import PLANE, Pinhole, axes, plane_to_pixels
from baselines.spatial.held_view import HeldView
from baselines.spatial.scene import CELLS, Coverage, Seen


@dataclass(frozen=True)
class FlatScene:
    """Warp by a homography. A camera that also moves is taken for one that turns.

    Args:
        lens: of cameras in space; None for those over a plane.
        extent: the largest distance between cameras in space: how far away nothing is expected to look alike.
    """

    lens: Pinhole | None
    extent: float

    def coverage(self, held: Sequence[HeldView], pose: NDArray[np.float64]) -> Coverage:
        found = [self._covered(view, pose) for view in held]
        return Coverage(np.array([cells for cells, _ in found]), np.array([shift for _, shift in found]))

    def seen_from(self, view: HeldView, pose: NDArray[np.float64]) -> Seen:
        height, width = view.known.shape
        centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # OpenCV counts from the centre of a pixel
        back = np.linalg.inv(centre) @ self._homography(view, pose) @ centre
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = cv2.warpPerspective(view.image, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
        return Seen(np.asarray(image, np.uint8), _inside(self._homography(view, pose), grid, view)[0], None)

    def _covered(self, view: HeldView, pose: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
        height, width = view.known.shape
        step = (np.arange(CELLS) + 0.5) / CELLS
        grid = np.stack(np.meshgrid(step * width, step * height), axis=-1)
        known, there = _inside(self._homography(view, pose), grid, view)
        shift = float(np.hypot(*(there - grid)[known].T).mean()) / width if known.any() else 0.0
        apart = float(np.linalg.norm(view.pose[:3] - pose[:3])) / self.extent if self.extent else 0.0
        return known.ravel(), shift + apart

    def _homography(self, view: HeldView, pose: NDArray[np.float64]) -> NDArray[np.float64]:
        """(3, 3): pixels of the view from ``pose`` to those of a held one."""
        if self.lens is None:
            size = view.known.shape[0], view.known.shape[1]
            return plane_to_pixels(view.pose, size) @ np.linalg.inv(plane_to_pixels(pose, size))
        lens = self.lens.matrix
        return np.asarray(lens @ axes(view.pose) @ axes(pose).T @ np.linalg.inv(lens))


def flat_scene(pose: NDArray[np.float64], lens: Pinhole | None) -> FlatScene:
    """The scene of a clip with cameras (T, P)."""
    if pose.shape[1] == PLANE:
        return FlatScene(None, 0.0)
    places = pose[:, None, :3] - pose[None, :, :3]
    return FlatScene(lens, float(np.linalg.norm(places, axis=-1).max()))


def _inside(
    homography: NDArray[np.float64], grid: NDArray[np.float64], view: HeldView
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pixels (h, w, 2) of another view are known in this one, and where they are there."""
    height, width = view.known.shape
    x, y, ahead = np.moveaxis(np.concatenate([grid, np.ones((*grid.shape[:2], 1))], axis=-1) @ homography.T, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = x / ahead, y / ahead
    inside = (ahead > 0) & (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    column = np.where(inside, x, 0).astype(int).clip(0, width - 1)
    row = np.where(inside, y, 0).astype(int).clip(0, height - 1)
    return inside & view.known[row, column], np.stack([x, y], axis=-1)
