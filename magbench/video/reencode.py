"""The same frames as another store or decoder would give them back.

Deterministic: the same array gives the same array, whatever was in memory before.
"""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
"""(T, H, W, 3) uint8 RGB."""

_H264 = {"preset": "medium", "x264-params": "mbtree=0"}
"""Without macroblock-tree rate control: on frames of few macroblocks a row x264 reads memory there that nobody wrote,
and the same frames give another stream each time (seen at 20 to 64 pixels wide, and not without mbtree)."""


def reencoded(frames: Frames, crf: int) -> Frames:
    """Through H.264 at ``crf``, 4:2:0 (4:4:4 where a side is odd), and back. PyAV must have libx264."""
    even = frames.shape[1] % 2 == 0 and frames.shape[2] % 2 == 0
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("libx264", rate=16, options={"crf": str(crf), **_H264})
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p" if even else "yuv444p"
        stream.thread_count = 1
        for frame in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        output.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as container:
        return np.stack([np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in container.decode(video=0)])


def through_yuv(frames: Frames) -> Frames:
    """To 4:2:0 pixels and back: what another decoder's colours do."""
    found = []
    for frame in frames:
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        found.append(np.asarray(picture.reformat(format="yuv420p").to_ndarray(format="rgb24"), np.uint8))
    return np.stack(found)
