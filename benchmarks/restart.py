"""What a restart costs: looking at videos that are there, by their bytes and by their frames.

    python benchmarks/restart.py [VIDEOS]

Prints processor seconds a video of 81 frames at 832x480 for both, and the size of its file.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from magbench.models.meter import Metered
from magbench.runs.generation import check_frames, read_generation, write_generation
from magbench.suites.clip import NO_REVISIT, Clip

FRAMES, SWITCH, HEIGHT, WIDTH = 162, 81, 480, 832


def natural(count: int) -> np.ndarray:
    """(count, H, W, 3): soft shapes that move, with a little noise, so that a lossless file has a usual size."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames = np.empty((count, HEIGHT, WIDTH, 3), np.uint8)
    for t in range(count):
        soft = 127 + 60 * np.sin((x + 3 * t) / 40) + 60 * np.cos((y - 2 * t) / 55)
        frames[t] = (soft[..., None] + rng.normal(0, 2, (HEIGHT, WIDTH, 3))).clip(0, 255)
    return frames


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of this process, all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main(videos: int) -> None:
    frames = natural(FRAMES)
    clip = Clip(
        id="a",
        caption="",
        category="",
        speed="",
        fps=16,
        switch=SWITCH,
        frames=frames,
        pose=None,
        revisit=np.full(FRAMES, NO_REVISIT),
    )
    metered = Metered(frames[SWITCH:], [SWITCH], [1.0], None, None, "cpu", None)
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / f"{number}@0" for number in range(videos)]
        for folder in folders:
            write_generation(folder, metered, clip, model="m", revision="1", kind="model", sample=0)
        made = [read_generation(folder) for folder in folders]
        for name, drop in (("by its bytes", {}), ("by its frames", {"file_sha256": None})):
            spent = [
                seconds(partial(check_frames, folder, one.model_copy(update=drop)))
                for folder, one in zip(folders, made, strict=True)
                if one is not None
            ]
            print(f"{name}: {sum(spent) / len(spent):.3f} processor seconds a video")
        print(f"{(folders[0] / 'frames.mkv').stat().st_size / 1e6:.0f} MB each")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
