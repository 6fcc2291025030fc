"""Cameras by their numbers: a plane seen from above (P = 3), or a pinhole in space (P = 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PLANE = 3
"""Numbers of a camera over a plane: x and y of the view's centre in view widths at scale 1, log-scale."""
SPACE = 5
"""Numbers of a camera in space: x, y, z, yaw (degrees, anticlockwise from x) and pitch (degrees, up)."""


def plane_to_pixels(pose: Floats, size: tuple[int, int]) -> Floats:
    """(3, 3): places on the plane (x, y, 1) to pixels (column, row, 1) of a frame of ``size`` (H, W)."""
    height, width = size
    x, y, log_scale = pose
    each = width / np.exp(log_scale)
    return np.array([[each, 0, width / 2 - each * x], [0, each, height / 2 - each * y], [0, 0, 1]])


@dataclass(frozen=True)
class Pinhole:
    """A lens: focal lengths and principal point, in pixels. Pixel (0, 0) covers [0, 1) x [0, 1)."""

    fx: float
    fy: float
    cx: float
    cy: float

    @property
    def matrix(self) -> Floats:
        """(3, 3): right, down, ahead to pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]])


def axes(pose: Floats) -> Floats:
    """(3, 3): rows are right, down and ahead of a camera (P = 5), in the world's x, y, z (up)."""
    yaw, pitch = np.radians(pose[3:])
    ahead = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0])
    return np.array([right, np.cross(ahead, right), ahead])
