"""A small video for the eye: what was given and what was made of it, told apart by the frame around them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from magbench.video.io import encode

PREVIEW_SIZE = 128
"""Least height and width of a preview, in pixels."""

EDGE, GIVEN, MADE = 4, (70, 74, 82), (255, 150, 0)
"""The frame around a preview: about so many pixels wide, grey around what was given, orange around what was made."""

_H264 = {"preset": "ultrafast", "crf": "20"}


def write_preview(path: Path, given: NDArray[np.uint8], made: NDArray[np.uint8], fps: int) -> bool:
    """Write a small H.264 file for the eye, each pixel repeated until both sides have ``PREVIEW_SIZE``.

    Args:
        given: (T, H, W, 3), shown first, in a dark frame.
        made: (T, H, W, 3), shown then, in a bright one, so that nobody asks where generation begins.

    Returns:
        False, and writes nothing, where this PyAV has no libx264.
    """
    if "libx264" not in av.codecs_available:
        return False
    height, width = given.shape[1:3]
    factor = max(1, math.ceil(PREVIEW_SIZE / min(height, width)))
    if height * factor % 2 or width * factor % 2:  # yuv420p wants even sides
        factor += 1
    edge = max(1, round(EDGE / factor))
    size = height + 2 * edge, width + 2 * edge
    frames = chain(_framed(given, edge, GIVEN), _framed(made, edge, MADE))
    encode(path, frames, size, fps, codec="libx264", pixels="yuv420p", container="mp4", options=_H264, factor=factor)
    return True


def _framed(frames: NDArray[np.uint8], edge: int, colour: tuple[int, int, int]) -> Iterator[NDArray[np.uint8]]:
    """Each frame with an edge of so many pixels around it."""
    for frame in frames:
        framed = np.empty((frame.shape[0] + 2 * edge, frame.shape[1] + 2 * edge, 3), np.uint8)
        framed[:] = colour
        framed[edge:-edge, edge:-edge] = frame
        yield framed
