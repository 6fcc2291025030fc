"""Planes of 16-bit numbers as lossless video: depth and the like, which is no picture for the eye."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import written

FORMAT = "gray16le"
_FFV1 = {"level": "3", "coder": "1", "context": "0", "slices": "4", "slicecrc": "1", "g": "1"}


def write_gray16(path: Path, planes: NDArray[np.uint16], fps: int) -> None:
    """Write (T, H, W) uint16 as FFV1 in Matroska: the same numbers come back, and give the same bytes."""
    with written(path) as half, av.open(str(half), "w", format="matroska", options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream("ffv1", rate=fps, options=_FFV1)
        assert isinstance(stream, av.VideoStream)  # PyAV cannot tell the type checker
        stream.height, stream.width = planes.shape[1:]
        stream.pix_fmt = FORMAT
        for plane in planes:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(plane), format=FORMAT)))
        output.mux(stream.encode())


def read_gray16(path: Path, start: int = 0, stop: int | None = None) -> NDArray[np.uint16]:
    """The planes [start, stop) of a video of 16-bit grey, (n, H, W) uint16; n is at least 1."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            if (pixels := stream.codec_context.pix_fmt) != FORMAT:
                raise MagbenchError(f"{path}: pixels are {pixels}, not {FORMAT}")
            planes = np.stack([frame.to_ndarray() for frame in islice(container.decode(stream), start, stop)])
    except (FFmpegError, IndexError, ValueError, AttributeError) as error:
        raise MagbenchError(f"{path}: cannot be decoded as a video ({error})") from error
    return planes.astype(np.uint16, copy=False)
