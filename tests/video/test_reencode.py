"""What the noise panel does to frames: nearly the same comes back, and the same every time."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from magbench.video.reencode import reencoded, through_yuv

SMOOTH = np.linspace(0, 255, 6 * 24 * 32 * 3).reshape(6, 24, 32, 3).astype(np.uint8)

DIGESTS = """
import hashlib, io
import av
import numpy as np
from magbench.video.colours import to_rgb
from magbench.video.reencode import reencoded, through_yuv

def moving(height, width):
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 9, (12, height, width, 3))
    return np.stack([(3 * x + 2 * y + 5 * t)[..., None] + noise[t] for t in range(12)]).astype(np.uint8)

def stored(frames):
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as output:
        stream = output.add_stream("ffv1", rate=16)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode())
    return file

def read(file):
    file.seek(0)
    with av.open(file) as container:
        pixels = av.video.reformatter.VideoReformatter()
        return np.stack([to_rgb(frame, pixels, "") for frame in container.decode(video=0)])

for size in ((32, 32), (24, 20), (20, 36), (36, 36), (64, 64)):
    frames = moving(*size)
    file = stored(frames)
    for found in (lambda: reencoded(frames, 18), lambda: through_yuv(frames), lambda: read(file)):
        print({hashlib.sha256(found().tobytes()).hexdigest() for _ in range(8)})
"""


@pytest.mark.parametrize("change", [lambda frames: reencoded(frames, 18), through_yuv])
def test_frames_come_back_nearly_the_same(change: object) -> None:
    assert callable(change)
    for frames in (SMOOTH, SMOOTH[:, :23, :31]):
        found = change(frames)
        assert (found.shape, found.dtype) == (frames.shape, np.uint8)
        error = np.abs(found.astype(int) - frames)
        assert 0 < error.mean() < 8


def test_small_frames_come_back_the_same_whatever_was_in_memory() -> None:
    """Sixteen times each: eight in each of two processes, whose allocator fills new memory with other bytes."""
    found = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env=os.environ | {"MALLOC_PERTURB_": fill},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for fill in ("77", "200")
    ]
    assert len(found[0]) == 15
    assert all(len(hashes.split(",")) == 1 for hashes in found[0])
    assert found[0] == found[1]
