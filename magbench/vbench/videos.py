"""A return as a file that VBench reads: it takes mp4 only."""

from __future__ import annotations

import math
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.runs.generation import FRAMES_FILE, Generation

LEAST_SIDE = 256
"""Pixels: smaller frames are shown with each pixel repeated, since the networks of VBench cannot take them as they
are. Its threshold for large motion grows with the frame in the same way."""

CODEC = "libx264"
_LOSSLESS = {"preset": "veryfast", "qp": "0"}


def write_mp4(path: Path, frames: NDArray[np.uint8], fps: int) -> None:
    """Write (T, H, W, 3) uint8 as H.264 without loss but for the rounding of RGB to YUV 4:4:4 (a level or two)."""
    if CODEC not in av.codecs_available:
        raise MagbenchError(f"{path}: cannot be written, this PyAV has no H.264 encoder ({CODEC})")
    factor = max(1, math.ceil(LEAST_SIDE / min(frames.shape[1:3])))
    path.parent.mkdir(parents=True, exist_ok=True)
    scaler = VideoReformatter()
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream(CODEC, rate=fps, options=_LOSSLESS)
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width = (side * factor for side in frames.shape[1:3])
        stream.pix_fmt = "yuv444p"
        stream.thread_count = 1
        for array in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24")
            shown = scaler.reformat(frame, stream.width, stream.height, "yuv444p", interpolation=Interpolation.POINT)
            output.mux(stream.encode(shown))
        output.mux(stream.encode())


def fps_of(folder: Path, generation: Generation) -> int:
    """Frames per second of a generation."""
    if generation.original is not None:
        return generation.original.fps
    with av.open(str(folder / FRAMES_FILE)) as container:
        rate = container.streams.video[0].average_rate
    if rate is None:
        raise MagbenchError(f"{folder / FRAMES_FILE}: has no frame rate")
    return round(rate)
