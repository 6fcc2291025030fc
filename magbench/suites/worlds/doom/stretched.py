"""Paths of the test split, stretched: some that explore, and some that last 405 frames.

Ways that were chosen by eye are walked again at another pace, so that nothing but the hashes of their frames ships.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from magbench.core.rows import read_rows
from magbench.suites.worlds.doom.camera import on_lattice
from magbench.suites.worlds.doom.paths import FRAMES, HALF, LAP, SPEEDS
from magbench.suites.worlds.doom.planned import Planned, folder_of, planned

Array = NDArray[np.float64]

EXPLORE, EXPLORE_SWITCH, EXPLORE_TURN = "explore", 9, 57
"""Frames that are given, and the one at which the camera begins to come back; the last shows what frame 10 showed."""
LONG, LONG_FRAMES, LONG_SWITCH, LONG_LAP = "long", 405, 309, 135
"""Three quarters are given, up to the next 12 k - 3. A lap of 135 frames comes three times."""
RAISED = 4.0
"""Units by which these cameras are higher: between two poses of a walk the floor may have a step."""
HASHES_FILE, SIZE = "stretched.csv", "96x64"
COLUMNS = ("clip", SIZE)


def between(poses: Array, count: int) -> Array:
    """(count, 5) poses from the first of some to the last, evenly along them and ``RAISED``."""
    place = np.linspace(0, len(poses) - 1, count)
    turned = np.column_stack([poses[:, :2], poses[:, 2] + RAISED, np.unwrap(poses[:, 3], period=360), poses[:, 4]])
    known = np.arange(len(poses))
    return on_lattice(np.stack([np.interp(place, known, column) for column in turned.T], axis=1))


def there_and_back(out: Array, frames: int) -> Array:
    """(frames, 5) a way out, and the same way back as far as the frames last."""
    return np.concatenate([out, out[-2::-1][: frames - len(out)]])


def exploring(plan: Planned) -> Array:
    """(FRAMES, 5) of a turn or a walk."""
    return there_and_back(between(plan.poses[:HALF], EXPLORE_TURN + 1), FRAMES)


def lasting(plan: Planned) -> Array:
    """(LONG_FRAMES, 5) of a turn, a walk, or a loop."""
    if plan.category != "loop":
        return there_and_back(between(plan.poses[:HALF], LONG_FRAMES // 2 + 1), LONG_FRAMES)
    lap = between(plan.poses[: LAP + 1], LONG_LAP + 1)[:-1]
    return lap[np.arange(LONG_FRAMES) % LONG_LAP]


def unhashed(split: str) -> list[Planned]:
    """The clips of a stretched split, in order, without the hashes of their frames."""
    plans = planned("test")
    if split == EXPLORE:
        chosen = [plan for plan in plans if plan.category in ("turn", "walk")]
        paths = [exploring(plan) for plan in chosen]
        kinds = [EXPLORE] * len(chosen)
    else:
        pairs = [(kind, speed) for kind in ("turn", "walk", "loop") for speed in SPEEDS]
        chosen = [next(plan for plan in plans if (plan.category, plan.speed) == pair) for pair in pairs]
        paths = [lasting(plan) for plan in chosen]
        kinds = [plan.category for plan in chosen]
    numbered = enumerate(zip(chosen, paths, kinds, strict=True))
    return [
        replace(plan, id=f"{number:02d}-{split}-{plan.category}-{plan.speed}", category=kind, poses=path, sha256={})
        for number, (plan, path, kind) in numbered
    ]


@cache
def stretched(split: str) -> tuple[Planned, ...]:
    """The clips of ``EXPLORE`` or ``LONG``, in order."""
    rows = read_rows(folder_of("test") / HASHES_FILE, COLUMNS)
    known = {row.text("clip"): {SIZE: row.text(SIZE)} for row in rows}
    return tuple(replace(plan, sha256=known[plan.id]) for plan in unhashed(split))
