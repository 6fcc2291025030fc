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


def write_sheet(frames: NDArray[np.uint8], root: Path) -> dict[str, Any]:
    """Write (n, H, W, 3) uint8 as a sheet below ``root``, named after its frames; what a script needs to cut it.

    Equal frames share a file.
    """
    from PIL import Image

    name = f"sheets/{frames_sha256(frames)[:20]}"
    exact = frames.shape[2] <= SMALL
    made = frames if exact else _scaled(frames)
    count, height, width, _ = made.shape
    columns = min(count, max(1, round(math.sqrt(count * height / width))), LARGEST // width)
    rows = -(-count // columns)
    if rows * height > LARGEST:
        columns = min(LARGEST // width, -(-count // (LARGEST // height)))
        rows = -(-count // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for i, frame in enumerate(made):
        y, x = i // columns * height, i % columns * width
        sheet[y : y + height, x : x + width] = frame
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
    }


def _scaled(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames at most ``WIDEST`` wide."""
    import cv2

    height, width = frames.shape[1:3]
    if width <= WIDEST:
        return frames
    size = (WIDEST, max(1, round(height * WIDEST / width)))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
