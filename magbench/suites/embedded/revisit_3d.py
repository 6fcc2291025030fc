"""``revisit-3d``: rooms and landscapes of Freedoom, from which a camera goes away and to which it comes back.

Paths were planned by ``benchmarks/plan_3d.py`` and chosen by eye. The test split ships at 96x64; the others, of which
``revisit-3d:832x480`` has the same paths, are drawn on the user's machine.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import Clip
from magbench.suites.embedded_suite import Embedded
from magbench.suites.planes import as_stored
from magbench.suites.worlds.doom.camera import SCREENS
from magbench.suites.worlds.doom.film import Drawn, film, film_depth
from magbench.suites.worlds.doom.paths import SWITCH
from magbench.suites.worlds.doom.planned import Planned, planned
from magbench.suites.worlds.doom.settle import settled
from magbench.suites.worlds.doom.stretched import EXPLORE, EXPLORE_SWITCH, LONG, LONG_SWITCH, stretched
from magbench.suites.worlds.paths import revisits
from magbench.suites.worlds.visibility import seen_before
from magbench.video.io import frames_sha256

NAME = "revisit-3d"
VERSION = 1
FPS = 16
WINDOW = 81
"""The 21 latent frames that the models of the official tables see."""
SMALL, LARGE = "96x64", "832x480"
TURNS, TURNS_SIDE = "turns", 32
"""The split of clips whose camera turns where it stands, and the side of its frames."""
ON_THE_SPOT = ("turn", "double")
DEPTH_STEP, GAP_STEP = 2, 8
"""Pixels, each way, that share one depth and one gap at the large size."""
CLIPS = {"test": 40, LARGE: 40, "dev": 14, EXPLORE: 16, LONG: 9, TURNS: 16}
SWITCHES = {"test": SWITCH, "dev": SWITCH, EXPLORE: EXPLORE_SWITCH, LONG: LONG_SWITCH}
DIGEST = dict.fromkeys(CLIPS, "") | {
    "test": "e3b6c5785692e2bb82a20f1348a483a58dfbd6fad0d45e827f0b3589ebdb1a1d",
    TURNS: "4af60a4b67e52ee260f3964aeda63788c54f87f9e1de18cfc9a8492c53e81558",
}
"""Digest of the split that ships. What is drawn on the user's machine is compared frame by frame: see ``_drawn``."""

LICENCE = "frames of maps of Freedoom, (C) contributors to the Freedoom project, BSD-3-Clause"


class DrawnOtherwise(UserWarning):
    """Another version of the engine, or another platform, drew other frames."""


def clip(split: str, number: int) -> Clip:
    """One clip of a split; ``LARGE`` is the test split at that size."""
    if split == LARGE:
        return large_clip(planned("test")[number])
    if split == TURNS:
        return turning_clip([plan for plan in planned("test") if plan.category in ON_THE_SPOT][number])
    plans = stretched(split) if split in (EXPLORE, LONG) else planned(split)
    return small_clip(plans[number], SWITCHES[split])


def small_clip(plan: Planned, switch: int = SWITCH) -> Clip:
    """A clip at 96x64: as it ships, or drawn here."""
    lens, size = SCREENS[SMALL].intrinsics(), SCREENS[SMALL].size[::-1]
    frames = plan.frames() if plan.ships else _drawn(plan, SMALL)
    depth = as_stored(film_depth(plan.shape, lens, size, plan.poses))
    overlap, gap = seen_before(depth, plan.poses, lens, switch)
    return _clip(plan, switch, frames, lens, depth, overlap, gap)


def turning_clip(plan: Planned) -> Clip:
    """The middle of a clip at 96x64, its pixels two by two averaged into one; depth and overlap are of that size."""
    width, height = SCREENS[SMALL].size
    left, factor = (width - height) // 2, height // TURNS_SIDE
    frames = np.asarray(plan.frames() if plan.ships else _drawn(plan, SMALL))[:, :, left : width - left]
    cells = frames.reshape(len(frames), TURNS_SIDE, factor, TURNS_SIDE, factor, 3)
    whole, parts = cells.sum(axis=(2, 4), dtype=np.uint32), factor**2
    lens = (SCREENS[SMALL].intrinsics() - [0, 0, left, 0]) / factor
    depth = as_stored(film_depth(plan.shape, lens, (TURNS_SIDE, TURNS_SIDE), plan.poses))
    overlap, gap = seen_before(depth, plan.poses, lens, SWITCH)
    return _clip(plan, SWITCH, ((2 * whole + parts) // (2 * parts)).astype(np.uint8), lens, depth, overlap, gap)


def large_clip(plan: Planned) -> Clip:
    """A clip at 832x480, whose frames and depth are drawn when they are asked for; overlap is measured on a grid."""
    screen = SCREENS[LARGE]
    lens, (width, height) = screen.intrinsics(), screen.size
    grid = film_depth(plan.shape, lens / GAP_STEP, (height // GAP_STEP, width // GAP_STEP), plan.poses)
    overlap, gap = seen_before(grid, plan.poses, lens / GAP_STEP, SWITCH)
    count = len(plan.poses)
    frames = Drawn((count, height, width, 3), partial(_drawn, plan, LARGE))
    depth = Drawn((count, height, width), partial(_large_depth, plan, lens, (height, width)))
    return _clip(plan, SWITCH, frames, lens, depth, overlap, _enlarged(gap, GAP_STEP))


def _drawn(plan: Planned, size: str) -> NDArray[np.uint8]:
    """(T, H, W, 3) frames drawn here, at one of the two sizes; a warning says so where they are not those published."""
    frames = film(plan.place, SCREENS[size], plan.poses)
    frames = settled(frames) if size == SMALL else frames
    if (found := frames_sha256(frames)) != plan.sha256[size]:
        told = f"{NAME} {size}, clip {plan.id}: drawn here has sha256 {found[:12]}, published {plan.sha256[size][:12]}"
        warnings.warn(f"{told}: scores cannot be compared with published ones", DrawnOtherwise, stacklevel=2)
    return frames


def _large_depth(plan: Planned, lens: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    half = size[0] // DEPTH_STEP, size[1] // DEPTH_STEP
    return _enlarged(as_stored(film_depth(plan.shape, lens / DEPTH_STEP, half, plan.poses)), DEPTH_STEP)


def _enlarged(planes: NDArray[Any], factor: int) -> NDArray[Any]:
    return planes.repeat(factor, axis=1).repeat(factor, axis=2)


def _clip(
    plan: Planned,
    switch: int,
    frames: NDArray[np.uint8] | Drawn,
    lens: NDArray[np.float64],
    depth: NDArray[np.float32] | Drawn,
    overlap: NDArray[np.float64],
    gap: NDArray[np.uint16],
) -> Clip:
    return Clip(
        id=plan.id,
        caption=plan.caption,
        category=plan.category,
        speed=plan.speed,
        fps=FPS,
        switch=switch,
        frames=frames,
        pose=plan.poses,
        revisit=revisits(plan.poses),
        intrinsics=lens,
        depth=depth,
        overlap=overlap,
        pixel_gap=gap,
    )


SUITE = Embedded(
    name=NAME,
    version=VERSION,
    fps=FPS,
    window=WINDOW,
    licence=LICENCE,
    clip=clip,
    counts=CLIPS,
    digest=DIGEST,
    summary=f"rooms and landscapes of Freedoom, {SMALL}: {CLIPS['test']} clips, with depth and overlap",
    about={
        LARGE: f"the same clips at {LARGE}, drawn here: needs the extra 3d",
        TURNS: f"its {CLIPS[TURNS]} clips that turn on the spot, {TURNS_SIDE}x{TURNS_SIDE}: for the nano models",
        "dev": f"{CLIPS['dev']} clips in other maps, {SMALL}, drawn here: needs the extra 3d",
        EXPLORE: f"{CLIPS[EXPLORE]} clips that explore and come back, {SMALL}, drawn here: needs the extra 3d",
        LONG: f"{CLIPS[LONG]} clips of 405 frames, {SMALL}, drawn here: needs the extra 3d",
    },
    resumed=frozenset([LARGE]),
)
