"""Ways through a map as smooth camera tracks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.worlds.doom.camera import EYE

Array = NDArray[np.float64]

FINE = 4.0
"""Units between the points that are smoothed."""


def smooth(values: Array, sigma: float) -> Array:
    """(n, d) values under a Gaussian; beyond the ends they go on as if turned about them, so that the ends stay."""
    reach = int(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    if len(values) > reach:
        head, tail = 2 * values[:1] - values[reach:0:-1], 2 * values[-1:] - values[-2 : -reach - 2 : -1]
    else:
        head, tail = values[:1].repeat(reach, axis=0), values[-1:].repeat(reach, axis=0)
    padded = np.concatenate([head, values, tail])
    return np.stack([np.convolve(column, weights, "valid") for column in padded.T], axis=1)


def resample(points: Array, step: float) -> Array:
    """(m, d) points every ``step`` units of the way in x and y."""
    walked = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points[:, :2], axis=0).T))])
    at = np.arange(0, walked[-1], step)
    return np.stack([np.interp(at, walked, column) for column in points.T], axis=1)


def level(floors: Array, reach: int, sigma: float) -> Array:
    """Heights (n,) that rise early and sink late, smoothly: never below a floor, where the engine lets nobody stand."""
    padded = np.pad(floors, reach, "edge")
    high = np.max([padded[shift : shift + len(floors)] for shift in range(2 * reach + 1)], axis=0)
    return smooth(high[:, None], sigma)[:, 0]


def track(way: Array, step: float, look: int = 6) -> Array:
    """(n, 4) x, y, z of the eye and yaw (degrees, unwrapped) every ``step`` units along a way (m, 3), looking ahead.

    Args:
        look: poses before and after one that decide where it looks.
    """
    points = resample(way, FINE)
    points[:, :2] = smooth(points[:, :2], 8)
    points[:, 2] = level(points[:, 2], 30, 10) + EYE
    points = resample(points, step)
    ahead = np.minimum(np.arange(len(points)) + look, len(points) - 1)
    x, y = (points[ahead, :2] - points[np.maximum(ahead - 2 * look, 0), :2]).T
    yaw = np.unwrap(np.arctan2(y, x))[:, None]
    return np.column_stack([points, np.degrees(smooth(yaw, 4) if len(yaw) > 13 else yaw)])


def ease(count: int) -> Array:
    """(count,) from 0 to 1, slow at both ends."""
    t = np.linspace(0, 1, count)
    return t * t * (3 - 2 * t)
