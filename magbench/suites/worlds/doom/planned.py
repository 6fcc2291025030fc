"""Paths that were planned once and chosen by eye, as they ship: poses and captions, and what else is there.

Of the test split the small frames and the shapes of its maps ship too. The other splits are drawn by ViZDoom, which
brings the maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.rows import read_rows
from magbench.suites.worlds.doom.camera import still_map
from magbench.suites.worlds.doom.film import once
from magbench.suites.worlds.doom.settle import read_settled
from magbench.suites.worlds.doom.wad import Map, shape

CLIPS_FILE, POSES_FILE, MAPS_FILE = "clips.csv", "poses.npz", "maps.npz"
HASHES = ("96x64", "832x480")
COLUMNS = ("clip", "map", "category", "speed", "caption", *HASHES)


@dataclass(frozen=True, eq=False)
class Planned:
    """One planned clip.

    Attributes:
        folder: what ships of its split.
        place: name of its map.
        poses: (T, 5) x, y, z, yaw, pitch, on the engine's lattice.
        sha256: size -> :func:`magbench.video.io.frames_sha256` of its frames, for sizes at which it is published.
    """

    folder: Path
    id: str
    place: str
    category: str
    speed: str
    caption: str
    poses: NDArray[np.float64]
    sha256: dict[str, str]

    @property
    def ships(self) -> bool:
        """Whether its small frames are here, so that nothing needs to be drawn."""
        return self._frames.exists()

    @property
    def _frames(self) -> Path:
        return self.folder / "frames" / f"{self.id}.mkv"

    def frames(self) -> NDArray[np.uint8]:
        """(T, 64, 96, 3) uint8 RGB; a pose that comes again is kept once."""
        return read_settled(self._frames)[once(self.poses)[1]]

    @property
    def shape(self) -> Map:
        """The lines and sectors of its map, for depth."""
        shapes = _shapes(self.folder)
        return shape(still_map(self.place)) if shapes is None else shapes[self.place]


def folder_of(split: str) -> Path:
    """Where the plan of a split lies in the package."""
    return Path(str(files("magbench"))) / "suites" / "data" / f"revisit-3d-{split}"


@cache
def _shapes(folder: Path) -> dict[str, Map] | None:
    if not (folder / MAPS_FILE).is_file():
        return None
    with np.load(folder / MAPS_FILE) as stored:
        found: dict[str, Map] = {}
        for key in stored.files:
            name, _, lump = key.partition("/")
            found.setdefault(name, {})[lump] = stored[key].tobytes()
    return found


@cache
def planned(split: str) -> tuple[Planned, ...]:
    """The clips of a split, in order."""
    folder = folder_of(split)
    with np.load(folder / POSES_FILE) as stored:
        poses = {name: stored[name] for name in stored.files}
    return tuple(
        Planned(
            folder=folder,
            id=row.text("clip"),
            place=row.text("map"),
            category=row.text("category"),
            speed=row.text("speed"),
            caption=row.text("caption"),
            poses=poses[row.text("clip")],
            sha256={size: row.text(size) for size in HASHES if row.text(size)},
        )
        for row in read_rows(folder / CLIPS_FILE, COLUMNS)
    )
