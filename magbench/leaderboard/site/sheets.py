"""A clip's frames as one picture, row by row: drawn to a canvas, each frame is exact in every browser."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.core.files import written
from magbench.video.io import frames_sha256

SMALL = 64
"""Frames at most so many pixels wide are kept as they are (PNG); larger ones are scaled and compressed (WebP)."""

WIDEST = 320
"""Width in pixels of a larger frame on a page; a suite's pixels may be more."""

LARGEST = 16383
"""Pixels along a side of a WebP file."""

QUALITY = 82

BLOCK = 16
"""Pixels of a side of what WebP compresses as one: a frame begins where a block does, so that little leaks over."""


def write_sheet(frames: NDArray[np.uint8], root: Path) -> dict[str, Any]:
    """Write (n, H, W, 3) uint8 as a sheet below ``root``, named after its frames; what a script needs to cut it.

    Equal frames share a file.
    """
    from PIL import Image

    name = f"sheets/{frames_sha256(frames)[:20]}"
    exact = frames.shape[2] <= SMALL
    made = frames if exact else _scaled(frames)
    count, height, width, _ = made.shape
    down, across = (height, width) if exact else (-(-height // BLOCK) * BLOCK, -(-width // BLOCK) * BLOCK)
    cells = np.pad(made, ((0, 0), (0, down - height), (0, across - width), (0, 0)), mode="edge")
    columns = min(count, max(1, round(math.sqrt(count * down / across))), LARGEST // across)
    if -(-count // columns) * down > LARGEST:
        columns = min(LARGEST // across, -(-count // (LARGEST // down)))
    rows = -(-count // columns)
    sheet = np.zeros((rows * down, columns * across, 3), np.uint8)
    for i, cell in enumerate(cells):
        y, x = i // columns * down, i % columns * across
        sheet[y : y + down, x : x + across] = cell
    path = root / f"{name}.{'png' if exact else 'webp'}"
    with written(path) as half:
        if exact:
            Image.fromarray(sheet).save(half, format="PNG", optimize=True)
        else:
            Image.fromarray(sheet).save(half, format="WEBP", quality=QUALITY, method=4)
    return {
        "src": path.relative_to(root).as_posix(),
        "columns": columns,
        "frames": count,
        "width": width,
        "height": height,
        "across": across,
        "down": down,
    }


def _scaled(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames at most ``WIDEST`` wide."""
    import cv2

    height, width = frames.shape[1:3]
    if width <= WIDEST:
        return frames
    size = (WIDEST, max(1, round(height * WIDEST / width)))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
