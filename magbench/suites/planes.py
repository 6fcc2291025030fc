"""Numbers for every pixel of a clip, kept in their file until they are read: depth, and when a place was last seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.video.gray16 import read_gray16
from magbench.video.io import video_shape

FULL = 2**16 - 1
LEAST_SIDE = 8
"""Of a file of planes: its slices must hold something."""


@dataclass(frozen=True)
class StoredPlanes:
    """A file of 16-bit planes, read as (T, H, W) float32 or uint16; an array when it is asked for, or a part of one.

    Attributes:
        sha256: of the file; one that changed since it was checked is an error when it is read.
        shape: (T, H, W) of the clip's frames. A file of smaller planes has each number for a square of pixels.
        near: for depth, the distance that the number 65535 stands for; a number n stands for near * 65535 / n, 0 for
            infinity. None: the numbers stand for themselves.
    """

    path: Path
    sha256: str
    shape: tuple[int, int, int]
    near: float | None

    def __getitem__(self, index: slice) -> NDArray[Any]:
        start, stop, _ = index.indices(self.shape[0])
        if file_sha256(self.path) != self.sha256:
            raise MagbenchError(f"{self.path}: changed while in use")
        planes = read_gray16(self.path, start, stop)
        factor = _factor(self.path, planes.shape, (stop - start, *self.shape[1:]))
        if factor > 1:
            planes = planes.repeat(factor, axis=1).repeat(factor, axis=2)
        return planes if self.near is None else depths(planes, self.near)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)

    @classmethod
    def found(cls, path: Path, sha256: str, shape: tuple[int, int, int], near: float | None) -> StoredPlanes:
        """The planes of a file that was checked against ``sha256``; their size must fit the clip's ``shape``."""
        _factor(path, video_shape(path)[:3], shape)
        return cls(path, sha256, shape, near)


def _factor(path: Path, small: tuple[int, ...], shape: tuple[int, int, int]) -> int:
    """Pixels of the clip, each way, for one number of the file."""
    factor = shape[1] // small[1]
    if tuple(small) != (shape[0], shape[1] / max(factor, 1), shape[2] / max(factor, 1)):
        sizes = [f"{count} of {width}x{height}" for count, height, width in (small, shape)]
        raise MagbenchError(f"{path}: planes are {sizes[0]}, which does not fit frames that are {sizes[1]}")
    return factor


def depth_codes(depth: NDArray[np.floating[Any]]) -> tuple[NDArray[np.uint16], float]:
    """(codes, near) of depths (T, H, W) > 0, infinity allowed: inverse depth in 65535 steps, smooth on flat walls."""
    near = float(np.float32(depth.min()))
    with np.errstate(divide="ignore"):
        codes = np.rint(near * FULL / depth)
    return np.where(np.isfinite(depth), np.clip(codes, 1, FULL), 0).astype(np.uint16), near


def depths(codes: NDArray[np.uint16], near: float) -> NDArray[np.float32]:
    """What :func:`depth_codes` stored: within half a step of inverse depth, float32."""
    with np.errstate(divide="ignore"):
        return (np.float64(near * FULL) / codes).astype(np.float32)


def as_stored(depth: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Depths as they come back from a file."""
    return depths(*depth_codes(depth))


def coarse(planes: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The smallest planes that may be stored of which each number, for a square of pixels, gives these."""
    height, width = planes.shape[1:]
    most = gcd(height, width)
    for factor in range(min(height, width) // LEAST_SIDE, 1, -1):
        if most % factor == 0:
            small = planes[:, ::factor, ::factor]
            if np.array_equal(small.repeat(factor, axis=1).repeat(factor, axis=2), planes):
                return small
    return planes
