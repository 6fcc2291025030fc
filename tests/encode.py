"""Video files of every kind, for tests: another encoder call than magbench's own."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

MILLISECOND = Fraction(1, 1000)


def encode(
    path: Path,
    frames: NDArray[np.uint8],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    *,
    rate: Fraction | int = 16,
    source: str = "rgb24",
    milliseconds: Sequence[int] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write (T, H, W, 3 or 4) uint8; ``milliseconds`` gives each frame a time of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pixels
        if milliseconds is not None:
            stream.codec_context.time_base = MILLISECOND
        for index, array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format=source).reformat(format=pixels)
            if milliseconds is not None:
                frame.pts, frame.time_base = milliseconds[index], MILLISECOND
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def blocks(length: int, height: int = 48, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """(length, height, width, 3): coarse random colours, another picture in every frame."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (length, -(-height // 8), -(-width // 8), 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
