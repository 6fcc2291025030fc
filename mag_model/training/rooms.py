"""Training clips of rooms: a camera turns where it stands, in maps of Freedoom that are for training.

Each place is drawn once, all around, in steps of ``STEP`` degrees; a clip is a walk over these views, away and back.
The network is told the camera of the plane that comes nearest, see :func:`mag_model.nano.camera.on_plane`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.nano.camera import on_plane
from mag_model.training.data import Batch, ClipShape, draw_batch, drawn_once, tell
from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress
from magbench.suites.worlds.doom.camera import EYE, SCREENS, Camera, on_lattice, still_map
from magbench.suites.worlds.doom.maps import SPLITS
from magbench.suites.worlds.doom.paths import Place
from magbench.suites.worlds.paths import schedule

STEP = 2
"""Degrees between two views of a place."""
VIEWS = 360 // STEP
KINDS = ("pan", "double", "speed")
"""How a clip goes away and comes back; see :func:`magbench.suites.worlds.paths.camera_path`."""
SPEEDS = (1.5, 8.0)
"""Degrees from one frame to the next, drawn from this range."""


@dataclass(frozen=True)
class Scenery:
    """What training clips are drawn from: half of the batches show canvases, half show rooms, where there are any.

    Attributes:
        canvases: (N, 3, CANVAS, CANVAS) uint8, see :func:`mag_model.training.data.load_pool`.
        size: (H, W) of a frame.
        rooms: (N, VIEWS, 3, H, W) uint8, see :func:`load_rooms`, or None.
    """

    canvases: Tensor
    size: tuple[int, int]
    rooms: Tensor | None = None

    def draw(self, shape: ClipShape, block: int, rng: np.random.Generator) -> Batch:
        """A batch; ``rng`` decides everything."""
        if self.rooms is not None and rng.random() < 0.5:
            return draw_turns(self.rooms, shape, block, rng)
        return draw_batch(self.canvases, shape, block, rng, self.size)


def draw_turns(rooms: Tensor, shape: ClipShape, block: int, rng: np.random.Generator) -> Batch:
    """A batch of clips whose camera turns on the spot, (N, VIEWS, 3, H, W) uint8 around; mirrored and recoloured."""
    count = shape.blocks * block
    length = max((shape.span or shape.blocks) * block, count)
    frames, cameras, scenes, orders = [], [], [], []
    for _ in range(shape.batch):
        scenes.append(int(rng.integers(len(rooms))))
        orders.append(rng.permutation(3))
        mirrored, first = rng.random() < 0.5, int(rng.integers(VIEWS))
        switch = int(rng.integers(max(length // 4, 3), length // 2 + 1))
        along = schedule(str(rng.choice(KINDS)), rng, switch, length) * rng.uniform(*SPEEDS) / STEP
        turned = np.rint(along * rng.choice([-1, 1])).astype(np.int64)  # to the right, in steps
        path = _cameras(turned)
        chosen = np.arange(count) if length == count else shape.choose(path, count, block, rng)
        seen = rooms[scenes[-1]][(first - turned[chosen]) % VIEWS][:, orders[-1].tolist()]
        frames.append(seen.flip(-1) if mirrored else seen)
        cameras.append(path[chosen] * [-1.0 if mirrored else 1.0, 1.0, 1.0])
    told = tell(torch.from_numpy(np.stack(cameras)), shape, block, rng)
    plain = np.zeros(shape.batch, np.bool_)
    return Batch(torch.stack(frames).float() / 255, *told, np.array(scenes), np.stack(orders), plain)


def _cameras(turned: NDArray[np.int64]) -> NDArray[np.float64]:
    """(T, 3) cameras of the plane, of one that has turned to the right by so many steps; all screens see as far."""
    screen, pose = SCREENS["96x64"], np.zeros((len(turned), 5))
    pose[:, 3] = -STEP * turned
    lens, (width, height) = torch.from_numpy(screen.intrinsics()), screen.size
    return on_plane(torch.from_numpy(pose), lens, (height, width)).numpy()


def load_rooms(folder: Path, places: int, size: tuple[int, int], progress: Progress) -> Tensor:
    """(places, VIEWS, 3, H, W) uint8: places of the training maps, all around, kept in ``folder`` once drawn.

    Raises:
        MagbenchError: no engine, or a size that it does not draw.
    """
    name = f"{size[1]}x{size[0]}"
    if name not in SCREENS:
        raise MagbenchError(f"rooms are drawn at {' or '.join(SCREENS)}, not at {name}")
    shape = (places, VIEWS, 3, *size)
    return drawn_once(folder / f"rooms-train-{places}.npy", shape, "rooms", lambda: _rooms(places, name), progress)


def _rooms(places: int, size: str) -> Iterator[NDArray[np.uint8]]:
    """(VIEWS, 3, H, W) of each place, evenly over the maps."""
    maps, count = SPLITS["train"], 0
    for number, name in enumerate(maps):
        wanted = places // len(maps) + (number < places % len(maps))
        for views in _of_map(name, wanted, size):
            count += 1
            yield views.transpose(0, 3, 1, 2)
    if count < places:
        raise MagbenchError(f"the training maps have {count} roomy places, fewer than {places}")


def _of_map(name: str, wanted: int, size: str) -> Iterator[NDArray[np.uint8]]:
    """The first places of a map that are not close to a wall and that the engine takes."""
    place = Place.of(still_map(name), np.random.default_rng(0))
    yaw = np.arange(0, 360, STEP, dtype=np.float64)
    with Camera(name, SCREENS[size]) as camera:
        for row, column in place.spots:
            if not wanted:
                return
            eye = [place.ground.xs[column], place.ground.ys[row], place.ground.floor[row, column] + EYE]
            poses = on_lattice(np.column_stack([np.tile(eye, (VIEWS, 1)), yaw, np.zeros(VIEWS)]))
            if not place.airy(poses[:: VIEWS // 8]):
                continue
            try:
                yield np.stack([camera.frame(pose) for pose in poses])
            except MagbenchError:  # below a ceiling that is too low
                continue
            wanted -= 1
