"""Whether pixels called seen show what they showed: `python benchmarks/reprojection.py revisit-3d`.

For each return frame, each pixel that a given frame shows is looked up there, in the last one that does, by depth, pose
and intrinsics. It agrees if its colour lies within the colours of the 3x3 pixels there, give or take TOLERANCE levels
(light falls off with distance, and a texture from elsewhere is sampled elsewhere). Beside it: the same without moving
the pixel. Then whether frames of equal pose are equal. Exit code 1 where a bar is not met.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import Clip
from magbench.suites.registry import open_suite
from magbench.suites.worlds.visibility import View, places, project

TOLERANCE = 20
MEDIAN, WORST = 0.99, 0.90


def agreement(clip: Clip) -> tuple[float, float]:
    """Shares of the seen pixels of all return frames that agree, moved and unmoved."""
    frames, depth, gaps = clip.frames, clip.depth, clip.pixel_gap
    assert depth is not None and gaps is not None and clip.pose is not None and clip.intrinsics is not None
    views = [View(plane, pose, clip.intrinsics) for plane, pose in zip(depth, clip.pose, strict=True)]
    moved, still = [], []
    for frame in range(clip.switch, len(clip)):
        for gap in np.unique(gaps[frame][gaps[frame] > 0]).tolist():
            chosen, earlier = gaps[frame] == gap, frame - gap
            column, row, _ = project(places(views[frame])[chosen], views[earlier])
            low, high = neighbours(frames[earlier])
            colour = frames[frame][chosen].astype(int)
            there = np.clip(row.astype(int), 0, clip.size[0] - 1), np.clip(column.astype(int), 0, clip.size[1] - 1)
            moved.append(within(colour, low[there], high[there]))
            still.append(within(colour, low[chosen], high[chosen]))
    return float(np.concatenate(moved).mean()), float(np.concatenate(still).mean())


def neighbours(frame: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Least and greatest level of each channel among 3x3 pixels."""
    kernel = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.erode(frame, kernel), np.uint8), np.asarray(cv2.dilate(frame, kernel), np.uint8)


def within(colour: NDArray[np.int64], low: NDArray[np.uint8], high: NDArray[np.uint8]) -> NDArray[np.bool_]:
    below, above = low.astype(int) - TOLERANCE, high.astype(int) + TOLERANCE
    return np.asarray(((colour >= below) & (colour <= above)).all(axis=-1))


def apart(clip: Clip) -> int:
    """Greatest difference, in levels, of two frames with one pose."""
    frames = clip.frames.astype(int)
    back = np.flatnonzero(clip.revisit >= 0)
    return int(max((np.abs(frames[t] - frames[clip.revisit[t]]).max() for t in back), default=0))


def main(name: str) -> int:
    suite = open_suite(name)
    found = {clip.id: agreement(clip) for clip in suite.clips}
    for clip, (moved, still) in found.items():
        print(f"{clip:<24} {moved:.4f}  unmoved {still:.4f}")
    moved, still = np.array(list(found.values())).T
    difference = max(apart(clip) for clip in suite.clips)
    print(f"{suite.name}:{suite.split}, {len(found)} clips")
    print(f"agree {np.median(moved):.4f} (median), {moved.min():.4f} (least)")
    print(f"unmoved {np.median(still):.4f} (median); frames of equal pose differ by {difference} levels at most")
    return int(np.median(moved) < MEDIAN or moved.min() < WORST or difference > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
