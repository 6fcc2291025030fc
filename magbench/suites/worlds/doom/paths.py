"""Camera paths of 105 frames that leave a place of a map and come back: five kinds at three speeds.

Poses of the return that are equal to earlier ones are so to the last bit. ``detour`` has none: it comes back to the
same place on another way. ``double`` and ``detour`` also show what was never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magbench.suites.worlds.doom.camera import EYE, on_lattice
from magbench.suites.worlds.doom.depth import Geometry
from magbench.suites.worlds.doom.ground import STEP, Cell, Ground
from magbench.suites.worlds.doom.tracks import ease, level, track
from magbench.suites.worlds.doom.wad import Map
from magbench.suites.worlds.visibility import View, places, shown

Array = NDArray[np.float64]

FRAMES, SWITCH = 105, 81
HALF = FRAMES // 2 + 1
SPEEDS = ("slow", "medium", "fast")
TURNS = {"slow": (100, 125), "medium": (125, 152), "fast": (152, 180)}
"""Degrees that a turn covers in ``HALF`` frames."""
STRIDES = {"slow": 6.0, "medium": 9.0, "fast": 13.0}
"""Units from one frame to the next of a walk."""
RADII = {"slow": (48, 80), "medium": (80, 125), "fast": (125, 220)}
"""Units: how wide a loop is."""
RETURNS = ((SWITCH - 1, 52.0), (92, 0.0), (98, -26.0), (FRAMES - 1, 0.0))
"""Frame and degrees from the first view at which a double visit is on its way back, passes it, and ends at it."""
LAP = 93
"""Frames of a lap: so many that its beginning has left the window when it comes again."""

ASIDE, ENDS_ASIDE, SWAY = (110, 80, 56), 12, 10
"""Units between the two ways of a detour, where they are furthest apart and where it ends; degrees it looks aside."""

SIZE = (45, 78)
"""Height and width of the depth that chooses paths."""
LENS = np.array([39.0, 46.8, 39.0, 22.5])
"""90 degrees across."""
GONE, BACK = 0.02, 0.6
"""Share of the first view that may be visible where a path is furthest, and that must be where a detour ends."""
TRIES, LAPS = 60, 2500
"""Places at which a path may begin; circles that a loop may take."""


@dataclass(frozen=True)
class Place:
    """A map, as paths look at it."""

    ground: Ground
    geometry: Geometry
    spots: list[Cell]

    @classmethod
    def of(cls, lumps: Map, rng: np.random.Generator) -> Place:
        """A map with up to ``TRIES`` roomy spots, drawn from its largest part."""
        ground = Ground(lumps)
        roomy = [cell for cell in ground.largest() if ground.clear[cell] >= 3]
        return cls(ground, Geometry(lumps), [roomy[index] for index in rng.permutation(len(roomy))[:TRIES]])

    def view(self, pose: Array) -> View:
        """What is seen at a pose, small."""
        return View(self.geometry.depth(pose, LENS, SIZE).astype(np.float32), pose, LENS)

    def overlap(self, one: Array, other: Array) -> float:
        """Share of what is seen at one pose that is seen at another."""
        view = self.view(one)
        return float(shown(places(view), np.isinf(view.depth), self.view(other)).mean())

    def airy(self, poses: Array, nearest: float = 20, middle: float = 100) -> bool:
        """Whether no view is of a wall close by: units of the 3rd and 50th percentile of depth."""
        for pose in poses:
            depth = np.minimum(self.view(pose).depth, 1e4)
            if np.median(depth) < middle or np.percentile(depth, 3) < nearest:
                return False
        return True

    def open_way(self, poses: Array) -> bool:
        """Whether one can stand at every pose."""
        return all(self.ground.stands(*pose[:2]) for pose in poses)


def camera_path(kind: str, speed: str, place: Place, rng: np.random.Generator) -> Array | None:
    """(FRAMES, 5) poses of a path of one of ``KINDS`` at one of ``SPEEDS``; None if the map has none at its spots."""
    poses = next(KINDS[kind](speed, place, rng), None)
    return None if poses is None else on_lattice(np.column_stack([poses, np.zeros(len(poses))]))


def _stands(place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """(4,) x, y, z of the eye and some yaw at each spot."""
    ground = place.ground
    for row, column in place.spots:
        yield np.array([ground.xs[column], ground.ys[row], ground.floor[row, column] + EYE, rng.uniform(0, 360)])


def _turn(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """Stand, turn away, turn back."""
    for stand in _stands(place, rng):
        yaw = stand[3] + rng.choice([-1, 1]) * rng.uniform(*TURNS[speed]) * ease(HALF)
        away = np.column_stack([np.tile(stand[:3], (HALF, 1)), yaw])
        if place.airy(_flat(away[::6]), 30, 110):
            yield np.concatenate([away, away[-2::-1]])


def _ways_out(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """Tracks of ``HALF`` poses out of a place, round a corner, until nothing is left of the first view."""
    stride = STRIDES[speed]
    for spot in place.spots:
        length, before = place.ground.reach(spot, (HALF * stride + 200) / STEP)
        ends = [end for end, far in length.items() if far * STEP > HALF * stride + 40]
        for index in rng.permutation(len(ends))[:8]:
            out = track(place.ground.way(before, ends[index]), stride)[:HALF]
            turned = np.abs(out[-1, 3] - out[0, 3])
            jerky = np.abs(np.diff(out[:, 2:], axis=0)).max(axis=0) > (6, 8)
            if len(out) < HALF or turned < 60 or jerky.any() or not place.open_way(out):
                continue
            ends_at = _flat(out[[0, -1]])
            if place.overlap(*ends_at) <= GONE and place.airy(_flat(out[::6]), middle=90):
                yield out


def _walk(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """Walk on, round a corner, until the first view is gone; then the same way back."""
    for out in _ways_out(speed, place, rng):
        yield np.concatenate([out, out[-2::-1]])


def _double(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """Stand, turn away, turn back and beyond the first view, to what was never seen, and back to it once more."""
    for stand in _stands(place, rng):
        side, far = rng.choice([-1, 1]), rng.uniform(*TURNS[speed])
        knots = np.array([(HALF - 1, far), *RETURNS])
        back = np.interp(np.arange(HALF - 1, FRAMES), knots[:, 0], knots[:, 1])
        yaw = stand[3] + side * np.concatenate([far * ease(HALF), back[1:]])
        poses = np.column_stack([np.tile(stand[:3], (FRAMES, 1)), yaw])
        if place.airy(_flat(poses[:HALF:6]), 30, 110) and place.airy(_flat(poses[HALF::6]), 30, 110):
            yield poses


def _loop(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """A lap around a pillar, looking at it, or around a room, looking out; then the first of it again."""
    ground = place.ground
    corners = np.argwhere(ground.clear == 1)
    for _ in range(LAPS):
        radius, side = rng.uniform(*RADII[speed]), rng.choice([-1, 1])
        row, column = corners[rng.integers(len(corners))] + rng.uniform(-12, 12, 2)
        centre = ground.x0 + STEP * column, ground.y0 + STEP * row
        angle = rng.uniform(0, 2 * np.pi) + side * 2 * np.pi * np.arange(LAP) / LAP
        x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)
        if not all(ground.stands(*at) for at in zip(x, y, strict=True)):
            continue
        floor = np.array([ground.floor[ground.cell(*at)] for at in zip(x, y, strict=True)])
        if np.abs(np.diff(floor, append=floor[:1])).max() > 24:
            continue
        z = level(np.tile(floor, 3), 9, 3)[LAP : 2 * LAP] + EYE
        pillar = not ground.stands(*centre)
        yaw = np.degrees(angle) + (180 + side * 35 if pillar else side * 50)
        lap = np.column_stack([x, y, z, yaw])
        first, far = _flat(lap[[0, LAP // 2]])
        if place.overlap(first, far) <= 0.25 and place.airy(_flat(lap[::6]), 16, 100):
            yield np.concatenate([lap, lap[: FRAMES - LAP]])


def _detour(speed: str, place: Place, rng: np.random.Generator) -> Iterator[Array]:
    """Walk out as a walk does, and come back beside that way, looking a little to the side; nearly to the start."""
    share = np.arange(1, HALF)[:, None] / (HALF - 1)
    for out in _ways_out(speed, place, rng):
        left = np.radians(out[-2::-1, 3:] + 90)
        sideways = np.hstack([np.cos(left), np.sin(left)])
        sway = rng.choice([-1, 1]) * SWAY * np.sin(2 * np.pi * share)
        for aside in rng.permutation([far * side for far in ASIDE for side in (-1, 1)]):
            back = out[-2::-1].copy()
            back[:, :2] += (aside * np.sin(np.pi * share) + np.sign(aside) * ENDS_ASIDE * share) * sideways
            back[:, 3:] += sway
            if not place.open_way(back) or not place.airy(_flat(back[::6]), middle=90):
                continue
            joined = np.concatenate([out, back])
            if place.overlap(*_flat(joined[[-1, 0]])) >= BACK:
                yield joined


def _flat(poses: Array) -> Array:
    """(n, 4) poses with pitch 0."""
    return np.column_stack([poses, np.zeros(len(poses))])


KINDS: dict[str, Callable[[str, Place, np.random.Generator], Iterator[Array]]] = {
    "turn": _turn,
    "walk": _walk,
    "loop": _loop,
    "double": _double,
    "detour": _detour,
}
