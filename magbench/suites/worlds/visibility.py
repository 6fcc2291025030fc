"""What of a view an earlier frame shows: reprojection by depth, pose and intrinsics of a pinhole camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOLERANCE = 0.02
"""A place counts as seen where the depth found there differs by no more than this share of it,"""
SLACK = 1.0
"""and this many units of the pose more."""
SKY_AT = 1e7
"""Distance of the sky, for where it is seen."""
BEHIND = 1e-3
"""Distance along the optical axis below which nothing is in view."""


@dataclass(frozen=True)
class View:
    """A frame's depth (H, W), infinite for sky, pose (5,) and intrinsics (4,)."""

    depth: NDArray[np.float32]
    pose: Array
    intrinsics: Array


def places(view: View) -> Array:
    """(H, W, 3) x, y, z of what each pixel shows; the sky lies ``SKY_AT`` away."""
    height, width = view.depth.shape
    fx, fy, cx, cy = view.intrinsics
    right = (np.arange(width) + 0.5 - cx) / fx
    down = (np.arange(height)[:, None] + 0.5 - cy) / fy
    ahead, across, up = axes(view.pose)
    rays = ahead + right[None, :, None] * across - down[:, :, None] * up
    return np.where(np.isfinite(view.depth), view.depth, SKY_AT)[:, :, None] * rays + view.pose[:3]


def axes(pose: Array) -> tuple[Array, Array, Array]:
    """Unit vectors forward, right and up of a camera at a pose (5,)."""
    yaw, pitch = np.radians(pose[3:5])
    level = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    upright = np.array([0.0, 0.0, 1.0])
    right = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
    return np.cos(pitch) * level + np.sin(pitch) * upright, right, np.cos(pitch) * upright - np.sin(pitch) * level


def project(points: Array, view: View) -> tuple[Array, Array, Array]:
    """Column, row (in pixels, not whole) and distance along the axis at which a view would show points (..., 3)."""
    offset = points - view.pose[:3]
    ahead, right, up = (offset @ axis for axis in axes(view.pose))
    fx, fy, cx, cy = view.intrinsics
    with np.errstate(divide="ignore", invalid="ignore"):
        return right / ahead * fx + cx, cy - up / ahead * fy, ahead


def shown(points: Array, far: NDArray[np.bool_], view: View) -> NDArray[np.bool_]:
    """Whether a view shows each place (..., 3): inside its borders, and nothing in front of it. ``far``: it is sky."""
    height, width = view.depth.shape
    column, row, ahead = project(points, view)
    inside = (ahead > BEHIND) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    result = np.zeros(far.shape, bool)
    found = view.depth[row[inside].astype(int), column[inside].astype(int)]
    wanted = ahead[inside]
    with np.errstate(invalid="ignore"):
        near = np.abs(found - wanted) <= TOLERANCE * wanted + SLACK
    result[inside] = np.where(far[inside], np.isinf(found), near)
    return result


def seen_before(
    depth: NDArray[np.float32], poses: Array, intrinsics: Array, switch: int
) -> tuple[Array, NDArray[np.uint16]]:
    """Overlap and pixel gaps of the frames to be made, as :class:`magbench.suites.clip.Clip` has them.

    Args:
        depth: (T, H, W); smaller than the frames is faster, and as good for overlap.
        poses: (T, 5).
        intrinsics: (4,) in pixels of ``depth``.
        switch: first frame to be made. Rows before it stay 0.
    """
    length = len(poses)
    overlap, gap = np.zeros((length, length)), np.zeros(depth.shape, np.uint16)
    views = [View(plane, pose, intrinsics) for plane, pose in zip(depth, poses, strict=True)]
    same = {pose.tobytes(): frame for frame, pose in reversed(list(enumerate(poses)))}
    for frame in range(switch, length):
        points, far = places(views[frame]), np.isinf(depth[frame])
        known: dict[int, NDArray[np.bool_]] = {}
        for earlier in range(frame):
            first = same[poses[earlier].tobytes()]
            if first not in known:
                known[first] = shown(points, far, views[earlier])
            overlap[frame, earlier] = known[first].mean()
            if earlier < switch:
                gap[frame][known[first]] = frame - earlier
    return overlap, gap
