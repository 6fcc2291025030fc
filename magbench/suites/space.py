"""What a clip knows of space, as files of a suite: intrinsics, depth, overlap, and when each pixel was last seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.rows import Row, read_rows, write_rows
from magbench.suites.clip import Clip
from magbench.suites.planes import StoredPlanes, coarse, depth_codes
from magbench.video.gray16 import write_gray16

INTRINSICS = ("fx", "fy", "cx", "cy")
COLUMNS = (*INTRINSICS, "depth_path", "depth_near", "overlap_path", "pixel_gap_path")
DIGITS = 4
"""Decimals of an overlap."""


def write_space(folder: Path, clip: Clip) -> dict[str, object]:
    """Write the files of one clip; returns its values of ``COLUMNS``, only for what it has."""
    values: dict[str, object] = {}
    if clip.intrinsics is not None:
        values |= dict(zip(INTRINSICS, clip.intrinsics.tolist(), strict=True))
    if (depth := clip.depth) is not None:
        codes, values["depth_near"] = depth_codes(depth)
        values["depth_path"] = f"depths/{clip.id}.mkv"
        write_gray16(folder / f"depths/{clip.id}.mkv", coarse(codes), clip.fps)
    if clip.overlap is not None:
        values["overlap_path"] = f"overlaps/{clip.id}.csv"
        write_rows(folder / f"overlaps/{clip.id}.csv", ("frame", "earlier", "share"), _pairs(clip.overlap))
    if (gap := clip.pixel_gap) is not None:
        values["pixel_gap_path"] = f"pixel_gaps/{clip.id}.mkv"
        write_gray16(folder / f"pixel_gaps/{clip.id}.mkv", coarse(gap), clip.fps)
    return values


def _pairs(overlap: NDArray[np.float64]) -> Iterable[tuple[object, ...]]:
    rounded = overlap.round(DIGITS)
    return ((i, j, rounded[i, j].item()) for i, j in np.argwhere(rounded).tolist())


def read_space(
    row: Row, shape: tuple[int, int, int], listed: Callable[[str], tuple[Path, str]]
) -> dict[str, NDArray[np.float64] | StoredPlanes]:
    """The fields of a :class:`Clip` that a row of ``clips.csv`` has of this.

    Args:
        shape: (T, H, W) of the clip's frames.
        listed: column -> the file that the row names there, and its sha256.
    """
    fields: dict[str, Any] = {}
    if any(row.text(column) for column in INTRINSICS):
        fields["intrinsics"] = np.array([row.real(column) for column in INTRINSICS])
        if not (fields["intrinsics"][:2] > 0).all():
            raise row.error("fx and fy must be more than 0")
    if row.text("depth_path"):
        if (near := row.real("depth_near")) <= 0:
            raise row.error(f"depth_near '{row.text('depth_near')}' must be more than 0")
        fields["depth"] = StoredPlanes.found(*listed("depth_path"), shape, near)
    if row.text("overlap_path"):
        fields["overlap"] = _read_overlap(listed("overlap_path")[0], shape[0])
    if row.text("pixel_gap_path"):
        fields["pixel_gap"] = StoredPlanes.found(*listed("pixel_gap_path"), shape, None)
    return fields


def _read_overlap(path: Path, length: int) -> NDArray[np.float64]:
    overlap = np.zeros((length, length))
    for row in read_rows(path, ("frame", "earlier", "share")):
        frame, earlier, share = row.integer("frame"), row.integer("earlier"), row.real("share")
        if not (0 <= earlier < frame < length and 0 < share <= 1):
            raise row.error(f"frame {frame} cannot share {share} of its pixels with frame {earlier} of {length}")
        if overlap[frame, earlier]:
            raise row.error(f"frames {frame} and {earlier} stand there twice")
        overlap[frame, earlier] = share
    return overlap


def check_space(clip: Clip, where: str) -> None:
    """Refuse arrays whose shape is not that of the clip."""
    length, (height, width) = len(clip), clip.size
    if clip.intrinsics is not None and clip.intrinsics.shape != (len(INTRINSICS),):
        raise MagbenchError(f"{where}: clip '{clip.id}': intrinsics are {clip.intrinsics.shape}, not (4,)")
    if clip.overlap is not None and clip.overlap.shape != (length, length):
        raise MagbenchError(f"{where}: clip '{clip.id}': overlap is {clip.overlap.shape}, not ({length}, {length})")
    for name, shape in clip.planes.items():
        if shape != (length, height, width):
            raise MagbenchError(f"{where}: clip '{clip.id}': {name} is {shape}, not {(length, height, width)}")
