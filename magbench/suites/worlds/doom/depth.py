"""Metric depth of a map from its lines and sectors, exact but for things, which are left out.

The engine's own depth buffer has 8 bits and no unit. Here each column of pixels meets the map's lines from near to far,
and each line closes off what lies above, below and behind it, as in the engine's software renderer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.worlds.doom.wad import SKY, Map, sides, table

Array = NDArray[np.float64]

NEAREST = 0.01
"""Units in front of the camera where lines begin to count."""
MOST = 96
"""Lines that a column of pixels meets at most."""
FAR = 1e9


class Geometry:
    """The lines of a map between two different sectors, and the heights of its sectors."""

    def __init__(self, lumps: Map) -> None:
        lines, vertices, sectors = (table(lumps, lump) for lump in ("LINEDEFS", "VERTEXES", "SECTORS"))
        points = np.stack([vertices["x"], vertices["y"]], axis=1).astype(np.float64)
        right, left = sides(lines, table(lumps, "SIDEDEFS")["sector"].astype(int))
        kept = right != left
        self.right, self.left = right[kept], left[kept]
        self.start = points[lines["start"]][kept]
        self.along = points[lines["end"]][kept] - self.start
        self.floor, self.ceiling = (sectors[name].astype(np.float64) for name in ("floor", "ceiling"))
        self.sky = sectors["ceiling_flat"] == SKY

    def depth(self, pose: Array, intrinsics: Array, size: tuple[int, int]) -> Array:
        """(H, W) distance along the optical axis; infinite for sky.

        Args:
            pose: (5,) x, y, z of the eye, yaw in degrees, pitch 0.
            intrinsics: (4,) fx, fy, cx, cy in pixels of a picture of ``size`` (H, W).
        """
        distance, front, behind = self._met(pose, intrinsics, size[1])
        fy, cy, height = intrinsics[1], intrinsics[3], float(size[0])
        eye = pose[2]
        rows = np.arange(size[0])[:, None] + 0.5
        below, above = fy / np.maximum(rows - cy, 1e-12), fy / np.maximum(cy - rows, 1e-12)
        out = np.full(size, np.inf)
        top, bottom, open_ = np.zeros(size[1]), np.full(size[1], height), np.ones(size[1], bool)
        for t, near, far in zip(distance, front, behind, strict=True):
            live = open_ & np.isfinite(t) & (near >= 0)
            if not (open_ & np.isfinite(t)).any():
                break
            solid = far < 0
            beyond = np.where(solid, 0, far)
            to_floor, to_ceiling = eye - self.floor[near], self.ceiling[near] - eye
            # The floor and the ceiling between the camera and this line.
            edge = cy + fy * to_floor / t
            seen = live & (rows >= np.maximum(edge, top)) & (rows < bottom)
            out = np.where(seen, below * to_floor, out)
            bottom = np.where(live, np.minimum(bottom, edge), bottom)
            edge = cy - fy * to_ceiling / t
            seen = live & (rows < np.minimum(edge, bottom)) & (rows >= top)
            out = np.where(seen & ~self.sky[near], above * to_ceiling, out)
            top = np.where(live, np.maximum(top, edge), top)
            # What of the line itself is wall: below and above the opening to the sector behind it.
            edge = np.where(solid, -FAR, cy + fy * (eye - self.floor[beyond]) / t)
            seen = live & (rows >= np.maximum(np.maximum(edge, top), 0)) & (rows < bottom)
            out = np.where(seen, t, out)
            bottom = np.where(live, np.minimum(bottom, edge), bottom)
            edge = np.where(solid, -FAR, cy - fy * (self.ceiling[beyond] - eye) / t)
            seen = live & (rows < np.minimum(edge, bottom)) & (rows >= top)
            out = np.where(seen & ~(self.sky[near] & self.sky[beyond]), t, out)
            top = np.where(live, np.maximum(top, edge), top)
            open_ &= ~(live & (solid | (bottom <= top)))
        return out

    def _met(self, pose: Array, intrinsics: Array, width: int) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
        """Each (n, W), from near to far: distance of the lines that a column meets, sectors before and behind them."""
        yaw = np.radians(pose[3])
        forward, right = np.array([np.cos(yaw), np.sin(yaw)]), np.array([np.sin(yaw), -np.cos(yaw)])
        column = ((np.arange(width) + 0.5 - intrinsics[2]) / intrinsics[0])[:, None]
        start, along = self.start - pose[:2], self.along
        p0, q0, dp, dq = start @ forward, start @ right, along @ forward, along @ right
        p1, q1 = p0 + dp, q0 + dq
        ahead, both = (p0 > NEAREST) | (p1 > NEAREST), (p0 > 0) & (p1 > 0)
        low, high = column[0, 0], column[-1, 0]
        outside = ((q0 < low * p0) & (q1 < low * p1)) | ((q0 > high * p0) & (q1 > high * p1))
        kept = np.flatnonzero(ahead & ~(both & outside))
        p0, q0, dp, dq = p0[kept], q0[kept], dp[kept], dq[kept]
        across = dq - column * dp
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (column * p0 - q0) / across
            t = p0 + share * dp
        t = np.where((share >= 0) & (share <= 1) & (t > NEAREST), t, np.inf)
        order = np.argsort(t, axis=1, kind="stable")[:, :MOST]
        before_right = np.take_along_axis(across > 0, order, axis=1)
        on_right, on_left = self.right[kept][order], self.left[kept][order]
        front, behind = np.where(before_right, on_right, on_left), np.where(before_right, on_left, on_right)
        return np.take_along_axis(t, order, axis=1).T, front.T, behind.T
