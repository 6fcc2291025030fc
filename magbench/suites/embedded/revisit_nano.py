"""``revisit-nano``: leave-and-return clips of procedural worlds, small enough for a laptop's processor.

Every clip has a scene (a canvas of :mod:`magbench.suites.worlds.canvas`) of its own. The scenes of the training,
development and test splits come from disjoint ranges of seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import Clip
from magbench.suites.embedded_suite import Embedded
from magbench.suites.worlds.canvas import make_canvas, render
from magbench.suites.worlds.paths import KINDS, SPEEDS, Cameras, camera_path, revisits

NAME = "revisit-nano"
VERSION = 1
LICENCE = "Apache-2.0"
FPS = 16
SIZE = 32
SWITCH = 24
FRAMES = 48
WINDOW = 9
"""Frames that a window of two kept blocks of three sees, its own block included."""

CLIPS = {"dev": 21, "test": 42}
"""Clips in each split that is written to disk: every kind of path at every speed, once or twice."""

DIGEST = {
    "dev": "90f8deacc99e8d72e004fd9ee6cc2422b6b5e100412d15e98ed7438484d3b07c",
    "test": "c1713ef16ef36aef1e36a0ebee98f910eefb4338e044e77e6fccc48c453f13c1",
}
"""Digest of each split as published. Another processor's rounding may give another one: see ``registry``."""

SEEDS_PER_SPLIT = 10_000_000
FIRST_SEED = {"train": 0, "dev": SEEDS_PER_SPLIT, "test": 2 * SEEDS_PER_SPLIT}


def scene_seed(split: str, index: int) -> int:
    """Seed of one scene. The ranges of the splits do not meet.

    Raises:
        ValueError: the index lies outside the split's range.
    """
    if not 0 <= index < SEEDS_PER_SPLIT:
        raise ValueError(f"scene index {index} is not in [0, {SEEDS_PER_SPLIT})")
    return FIRST_SEED[split] + index


def scene(split: str, index: int) -> NDArray[np.uint8]:
    """The canvas of one scene, (CANVAS, CANVAS, 3) uint8."""
    return make_canvas(np.random.default_rng(scene_seed(split, index)))


def clip(split: str, index: int, switch: int = SWITCH, frames: int = FRAMES) -> Clip:
    """One clip of ``dev`` or ``test``; any first few are as balanced over paths and speeds as they can be."""
    kind, speed = KINDS[index % len(KINDS)], list(SPEEDS)[index % len(SPEEDS)]
    rng = np.random.default_rng([scene_seed(split, index), 1])
    cameras = camera_path(kind, speed, rng, switch=switch, frames=frames)
    return Clip(
        id=f"{index:02d}-{kind}-{speed}",
        caption="",
        category=kind,
        speed=speed,
        fps=FPS,
        switch=switch,
        frames=film(scene(split, index), cameras),
        pose=cameras,
        revisit=revisits(cameras),
    )


def clips(split: str) -> Iterator[Clip]:
    """The clips of ``dev`` or ``test``."""
    return (clip(split, index) for index in range(CLIPS[split]))


def film(canvas: NDArray[np.uint8], cameras: Cameras) -> NDArray[np.uint8]:
    """(T, SIZE, SIZE, 3) uint8: a canvas seen by each camera of a path."""
    import torch

    picture = torch.from_numpy(canvas).permute(2, 0, 1)[None].double() / 255
    frames = render(picture, torch.from_numpy(cameras)[None], (SIZE, SIZE))[0]
    return (frames.permute(0, 2, 3, 1) * 255 + 0.5).floor().clamp(0, 255).to(torch.uint8).numpy()


SUITE = Embedded(
    name=NAME,
    version=VERSION,
    fps=FPS,
    window=WINDOW,
    licence=LICENCE,
    clip=clip,
    counts=CLIPS,
    digest=DIGEST,
    summary=f"procedural worlds, {SIZE}x{SIZE}: {CLIPS['test']} clips of every kind of path at every speed",
    endless=SEEDS_PER_SPLIT,
)
