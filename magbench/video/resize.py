"""Frames of another size: cut to the shape that is wanted, then shrunk by area or enlarged (Lanczos)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError


def cut(height: int, width: int, size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) of the largest part of a frame that has the shape of ``size`` (H, W).

    Raises:
        MagbenchError: one is upright and the other lies.
    """
    if (height > width) != (size[0] > size[1]) and height != width and size[0] != size[1]:
        raise MagbenchError(
            f"frames are {width}x{height}, {size[1]}x{size[0]} (WIDTHxHEIGHT) would turn their shape;"
            f" did you mean {size[0]}x{size[1]}?"
        )
    return min(height, width * size[0] // size[1]), min(width, height * size[1] // size[0])


def resized(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Cut (H, W, 3) to the shape of ``size`` around the middle, then give it that size.

    A larger picture is shrunk, each pixel the mean of the area that it covers; a smaller one is enlarged (Lanczos).
    """
    height, width = frame.shape[:2]
    rows, columns = cut(height, width, size)
    top, left = (height - rows) // 2, (width - columns) // 2
    part = np.ascontiguousarray(frame[top : top + rows, left : left + columns])
    way = cv2.INTER_AREA if rows >= size[0] and columns >= size[1] else cv2.INTER_LANCZOS4
    return np.asarray(cv2.resize(part, (size[1], size[0]), interpolation=way), np.uint8)
