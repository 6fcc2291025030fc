"""Plan candidates of revisit-3d, for the eye: `python benchmarks/plan_3d.py OUT [ROUNDS]`, with ViZDoom.

For each kind of path and each speed, ROUNDS candidates from maps of the test split (with --split: another). OUT gets
a sheet and the poses of each: NAME.png, NAME.npy. What is there is not planned again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.camera import SCREENS, Camera, still_map
from magbench.suites.worlds.doom.maps import SPLITS
from magbench.suites.worlds.doom.paths import FRAMES, KINDS, SPEEDS, Place, camera_path

DARKEST, PLAINEST, FLATTEST, NEAREST = 40, 18, 4.5, 18
"""Levels: least mean, least deviation and least step between neighbours of a frame, least difference of far frames."""
SHOWN = (0, 13, 26, 39, 52, 66, 81, 88, 96, 104)


def rich(frames: np.ndarray) -> bool:
    """Whether no frame is dark, plain or without detail."""
    grey = frames.astype(float).mean(axis=-1)
    steps = np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2))
    levels, spread = grey.mean(axis=(1, 2)), grey.std(axis=(1, 2))
    small = frames.reshape(len(frames), 8, frames.shape[1] // 8, 12, frames.shape[2] // 12, 3).mean(axis=(2, 4))
    apart = min(np.abs(small[0] - small[far]).mean() for far in (39, 46))
    return bool(levels.min() >= DARKEST and spread.min() >= PLAINEST and steps.min() >= FLATTEST and apart >= NEAREST)


def plan(name: str, kind: str, speed: str, seed: int, tries: int = 4) -> tuple[np.ndarray, np.ndarray] | None:
    """Poses and frames of a path in a map, or None."""
    rng = np.random.default_rng([seed, sum(name.encode())])
    place = Place.of(still_map(name), rng)
    for _ in range(tries):
        poses = camera_path(kind, speed, place, rng)
        if poses is None:
            return None
        place.spots[:] = place.spots[len(place.spots) // 4 :]
        try:
            with Camera(name, SCREENS["96x64"]) as camera:
                if max(camera.undrawn(pose) for pose in poses[::13]) > 0:
                    continue
                frames = np.stack([camera.frame(pose) for pose in poses])
        except MagbenchError:
            continue  # a place that the engine refuses
        if rich(frames):
            return poses, frames
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("rounds", type=int, default=4, nargs="?")
    parser.add_argument("--split", default="test")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    maps = list(np.random.default_rng(given.seed).permutation(SPLITS[given.split]))
    jobs = [(kind, speed) for _ in range(given.rounds) for speed in SPEEDS for kind in given.kinds]
    for number, (kind, speed) in enumerate(jobs):
        if list(given.out.glob(f"{number:03d}-*.np[yz]")):
            continue
        started = time.time()
        for attempt in range(6):
            name = str(maps[(number + 7 * attempt) % len(maps)])
            if (found := plan(name, kind, speed, 1000 * given.seed + number)) is not None:
                break
        stem = given.out / f"{number:03d}-{kind}-{speed}-{name}"
        print(
            stem.name,
            "none" if found is None else f"{len(found[0])} poses",
            f"{time.time() - started:.0f} s",
            flush=True,
        )
        if found is None:
            np.save(given.out / f"{number:03d}-none.npy", np.zeros(0))
            continue
        poses, frames = found
        assert len(poses) == FRAMES
        cv2.imwrite(f"{stem}.png", np.hstack(frames[list(SHOWN)])[..., ::-1])
        np.save(f"{stem}.npy", poses)


if __name__ == "__main__":
    main()
