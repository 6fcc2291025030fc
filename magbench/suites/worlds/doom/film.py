"""Frames and depth along a path; poses that are equal are drawn once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.suites.worlds.doom.camera import Camera, Screen
from magbench.suites.worlds.doom.depth import Geometry
from magbench.suites.worlds.doom.wad import Map
from magbench.video.frames import Whole

Array = NDArray[np.float64]


def once(poses: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(first, which): the frames that show a pose for the first time, and for each frame the place of its own there."""
    places: dict[bytes, int] = {}
    which = np.array([places.setdefault(pose.tobytes(), len(places)) for pose in poses])
    return np.unique(which, return_index=True)[1], which


def film(name: str, screen: Screen, poses: Array) -> NDArray[np.uint8]:
    """(T, H, W, 3) uint8 RGB of a map at poses (T, 5)."""
    first, which = once(poses)
    with Camera(name, screen) as camera:
        return np.stack([camera.frame(pose) for pose in poses[first]])[which]


def film_depth(lumps: Map, intrinsics: Array, size: tuple[int, int], poses: Array) -> NDArray[np.float32]:
    """(T, H, W) float32 depth of a still map at poses (T, 5), for intrinsics in pixels of ``size`` (H, W)."""
    first, which = once(poses)
    geometry = Geometry(lumps)
    return np.stack([geometry.depth(pose, intrinsics, size).astype(np.float32) for pose in poses[first]])[which]


@dataclass(frozen=True, eq=False)
class Drawn(Whole):
    """Pixels that are drawn each time they are asked for: a :class:`magbench.video.frames.FrameSource`."""

    shape: tuple[int, ...]
    draw: Callable[[], NDArray[Any]]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self.draw(), dtype)
