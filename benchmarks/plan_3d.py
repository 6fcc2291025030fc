"""Plan candidates of revisit-3d, for the eye: `python benchmarks/plan_3d.py OUT`, with ViZDoom.

Some paths for each map of a split, kinds and speeds in turn. OUT gets a sheet and the poses of each:
NNNN-KIND-SPEED-MAP.png and .npy. What is there is not planned again. What ship_3d.py takes is chosen from them by eye.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.camera import SCREENS, Camera, still_map
from magbench.suites.worlds.doom.maps import SPLITS
from magbench.suites.worlds.doom.paths import KINDS, SPEEDS, Place, camera_path

DARKEST, PLAINEST, FLATTEST, NEAREST = 35, 16, 4, 12
"""Levels: least mean, least deviation and least step between neighbours of a frame, least difference of far frames."""
EVERY = 4
"""Frames from one that is looked at to the next; every third of these is checked for holes."""
SHOWN = (0, 3, 6, 10, 13, 16, 20, 22, 24, 26)
TRIES = 4
"""Paths of a kind that are drawn in a map, each from other spots."""


def rich(frames: np.ndarray) -> bool:
    """Whether no frame is dark, plain or without detail, and what is furthest away looks different."""
    grey = frames.astype(float).mean(axis=-1)
    steps = np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2))
    levels, spread = grey.mean(axis=(1, 2)), grey.std(axis=(1, 2))
    small = frames.reshape(len(frames), 8, frames.shape[1] // 8, 12, frames.shape[2] // 12, 3).mean(axis=(2, 4))
    apart = min(np.abs(small[0] - small[far]).mean() for far in (9, 11))
    return bool(levels.min() >= DARKEST and spread.min() >= PLAINEST and steps.min() >= FLATTEST and apart >= NEAREST)


def plan(
    camera: Camera, place: Place, kind: str, speed: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Poses of a path, and every fourth frame; None if none of ``TRIES`` is worth looking at."""
    for _ in range(TRIES):
        spots = [place.spots[index] for index in rng.permutation(len(place.spots))]
        poses = camera_path(kind, speed, Place(place.ground, place.geometry, spots[: len(spots) // TRIES]), rng)
        if poses is None:
            continue
        try:
            if max(camera.undrawn(pose) for pose in poses[:: 3 * EVERY]) > 0:
                continue
            frames = np.stack([camera.frame(pose) for pose in poses])[::EVERY]
        except MagbenchError:
            continue  # a place that the engine refuses
        if rich(frames):
            return poses, frames
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--paths", type=int, default=3, help="For each map.")
    parser.add_argument("--round", type=int, default=0, help="Another gives other paths.")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    maps = np.random.default_rng(0).permutation(SPLITS[given.split]).tolist()
    turns = list(product(SPEEDS, KINDS))
    for index, name in enumerate(maps):
        first = 1000 * given.round + index * given.paths
        numbers = range(first, first + given.paths)
        if (given.out / f"{numbers[-1]:04d}.done").exists():
            continue
        started, lumps = time.time(), still_map(name)
        place = Place.of(lumps, np.random.default_rng(first))
        with Camera(name, SCREENS["96x64"]) as camera:
            for number in numbers:
                speed, kind = turns[(number + 7 * given.round) % len(turns)]
                found = plan(camera, place, kind, speed, np.random.default_rng(number))
                stem = given.out / f"{number:04d}-{kind}-{speed}-{name}"
                print(stem.name, "none" if found is None else "", f"{time.time() - started:.0f} s", flush=True)
                if found is not None:
                    np.save(f"{stem}.npy", found[0])
                    cv2.imwrite(f"{stem}.png", np.hstack(list(found[1][list(SHOWN)]))[..., ::-1])
        (given.out / f"{numbers[-1]:04d}.done").touch()


if __name__ == "__main__":
    main()
