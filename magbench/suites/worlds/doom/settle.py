"""Frames as they ship: chroma at half size, levels in steps of 3 and 4, so that a lossless file is half as large.

All arithmetic is on whole numbers, so that the same drawn picture gives the same frame on every machine.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import written

LOSSLESS = {"qp": "0", "preset": "veryslow", "x264-params": "threads=1"}
LUMA, CHROMA = 3, 4
"""Levels between steps: 49 and 47 dB."""
HALF = 128
"""Added before 8 bits are shifted out: rounds to the nearest."""


def settled(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB as it comes back from a file of :func:`write_settled`; H and W even."""
    return to_rgb(to_planes(frames), frames.shape[2])


def to_planes(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(T, H, W, 3) RGB -> (T, H * 3 / 2, W) planes of BT.601 in full range, in steps; chroma the mean of 2x2."""
    r, g, b = np.moveaxis(frames.astype(np.int64), 3, 0)
    luma = (77 * r + 150 * g + 29 * b + HALF) >> 8
    blue = _quarter(-43 * r - 85 * g + 128 * b)
    red = _quarter(128 * r - 107 * g - 21 * b)
    steps = luma // LUMA, *((plane + CHROMA // 2) // CHROMA for plane in (blue, red))  # grey, 128, stays grey
    flat = [plane.reshape(len(frames), -1, frames.shape[2]) for plane in steps]
    return np.concatenate(flat, axis=1).astype(np.uint8)


def _quarter(plane: NDArray[np.int64]) -> NDArray[np.int64]:
    """(T, H, W) differences of colours, 8 bits up -> (T, H / 2, W / 2) in 0 to 255."""
    four = plane[:, ::2, ::2] + plane[:, 1::2, ::2] + plane[:, ::2, 1::2] + plane[:, 1::2, 1::2]
    return np.clip(((four + 4 * HALF) >> 10) + 128, 0, 255)


def to_rgb(planes: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """The RGB frames (T, H, W, 3) of planes (T, H * 3 / 2, W)."""
    steps = planes.astype(np.int64)
    count, height = len(planes), planes.shape[1] * 2 // 3
    luma = steps[:, :height] * LUMA + LUMA // 2
    blue, red = (
        part.reshape(count, height // 2, width // 2).repeat(2, axis=1).repeat(2, axis=2) * CHROMA - 128
        for part in np.split(steps[:, height:], 2, axis=1)
    )
    r = luma + ((359 * red + HALF) >> 8)
    g = luma - ((88 * blue + 183 * red + HALF) >> 8)
    b = luma + ((454 * blue + HALF) >> 8)
    return np.clip(np.stack([r, g, b], axis=3), 0, 255).astype(np.uint8)


def write_settled(path: Path, frames: NDArray[np.uint8], fps: int) -> None:
    """Write (T, H, W, 3) frames as lossless H.264 of their planes; the suite's maker runs it, its users read only."""
    height, width = frames.shape[1:3]
    with written(path) as half, av.open(str(half), "w", format="matroska", options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream("libx264", rate=fps, options=LOSSLESS)
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for planes in to_planes(frames):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        output.mux(stream.encode())


def read_settled(path: Path) -> NDArray[np.uint8]:
    """The frames of a file of :func:`write_settled`, (T, H, W, 3) uint8 RGB."""
    if not path.is_file():
        raise MagbenchError(f"{path}: is missing; install magbench again")
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return to_rgb(np.stack([frame.to_ndarray() for frame in frames]), frames[0].width)
