"""Training clips: procedural scenes from the training seeds only, filmed along random leave-and-return paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.nano.camera import relative
from magbench.core.arrays import read_npy
from magbench.core.errors import MagbenchError
from magbench.core.progress import Progress
from magbench.suites.embedded.revisit_nano import SIZE, scene
from magbench.suites.worlds.canvas import CANVAS, PIXELS_PER_VIEW, render
from magbench.suites.worlds.paths import KINDS, SPEEDS, Cameras, camera_path, revisits

Choose = Callable[[Cameras, int, int, np.random.Generator], NDArray[np.int64]]
"""(path, frames, block size, random) -> (frames,) ascending: which whole blocks of a path make a clip."""

SHIFT = 16.0
"""The origin of a training clip's camera is drawn from [-SHIFT, SHIFT] view widths."""

SHORTEST = 6
"""Frames of a path, at least: a shorter one has no room to leave and come back."""


def choose_frames(path: Cameras, frames: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(frames,) ascending: blocks of the path's later half, and those in which their views were seen before."""
    seen = revisits(path)
    blocks = len(path) // block
    chosen: list[int] = []
    while len(chosen) < frames // block:
        target = int(rng.integers(blocks // 2, blocks))
        sources = seen[target * block : (target + 1) * block] // block
        for number in (target, *sources[sources >= 0].tolist()):
            if number not in chosen and len(chosen) < frames // block:
                chosen.append(number)
    return (np.array(sorted(chosen))[:, None] * block + np.arange(block)).reshape(-1)


def choose_stretch(path: Cameras, frames: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(frames,) ascending: blocks that follow one another, beginning anywhere."""
    return int(rng.integers((len(path) - frames) // block + 1)) * block + np.arange(frames)


def choose_either(path: Cameras, frames: int, block: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(frames,) ascending: by the toss of a coin a stretch, or blocks whose views come again."""
    return (choose_stretch if rng.random() < 0.5 else choose_frames)(path, frames, block, rng)


@dataclass(frozen=True)
class ClipShape:
    """What a batch is made of. All lengths are in blocks, so that a shape serves every block size.

    Attributes:
        blocks: of a clip.
        batch: clips.
        speeds: camera speeds to draw from.
        leap: blocks may lie up to this many blocks apart in time, so that short clips teach long memories.
        span: length of the path that the clip's blocks are taken from, so that they teach far places; None = the
            clip is a whole path, unless that were shorter than ``SHORTEST``.
        choose: which blocks of the path.
    """

    blocks: int
    batch: int
    speeds: tuple[str, ...] = tuple(SPEEDS)
    leap: int = 0
    span: int | None = None
    choose: Choose = choose_frames


@dataclass(frozen=True)
class Batch:
    """Clips to train on.

    Attributes:
        frames: (B, F, 3, H, W) float32 in [0, 1].
        pose: (B, F, 3) float64 cameras.
        frame: (F,) int64 absolute frame indices.
        shown: (B, F) float32, see :func:`shown_before`.
        scene: (B,) int64 the canvas or the room of each clip, by its place in the pool.
        order: (B, 3) int64 how its colour channels were exchanged.
        inverted: (B,) bool whether its colours were inverted after that.
    """

    frames: Tensor
    pose: Tensor
    frame: Tensor
    shown: Tensor
    scene: NDArray[np.int64]
    order: NDArray[np.int64]
    inverted: NDArray[np.bool_]


def load_pool(folder: Path, scenes: int, workers: int, progress: Progress) -> Tensor:
    """(scenes, 3, CANVAS, CANVAS) uint8 canvases of the training split, kept in ``folder`` once made."""
    path, shape = folder / f"scenes-train-{scenes}.npy", (scenes, 3, CANVAS, CANVAS)

    def draw() -> Iterator[NDArray[np.uint8]]:
        with get_context("spawn").Pool(workers) as pool:
            yield from pool.imap(_training_scene, range(scenes), chunksize=4)

    return drawn_once(path, shape, "scenes", draw, progress)


def _training_scene(index: int) -> NDArray[np.uint8]:
    """One canvas, (3, CANVAS, CANVAS)."""
    return scene("train", index).transpose(2, 0, 1)


def drawn_once(
    path: Path,
    shape: tuple[int, ...],
    what: str,
    draw: Callable[[], Iterator[NDArray[np.uint8]]],
    progress: Progress,
) -> Tensor:
    """(N, ...) uint8 of a ``shape``, kept in ``path``; what is not there yet is drawn, one after the other."""
    if not path.exists():
        progress.stage(f"draw {shape[0]} training {what}, once", shape[0])
        drawn = []
        for one in draw():
            drawn.append(one)
            progress.step()
        part = path.with_suffix(".part.npy")
        np.save(part, np.stack(drawn))
        part.replace(path)

    def check(found: tuple[int, ...]) -> None:
        if found != shape:
            raise MagbenchError(f"{what} of shape {found}, {shape} wanted; remove it to have them drawn again")

    return torch.from_numpy(read_npy(path, np.uint8, check))


def shown_before(cameras: Tensor, block: int) -> Tensor:
    """(B, F) in [0, 1]: the largest share of each view that one frame of an earlier block shows; cameras (B, F, 3)."""
    width = cameras[..., 2].exp()
    share = torch.ones(*width.shape, width.shape[1], dtype=width.dtype)
    for axis in (0, 1):
        low, high = cameras[..., axis] - width / 2, cameras[..., axis] + width / 2
        common = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None])
        share = share * common.clamp(min=0) / width[:, :, None]
    number = torch.arange(width.shape[1]) // block
    return share.masked_fill(number[:, None] <= number, 0).amax(-1).float()


def draw_batch(
    pool: Tensor, shape: ClipShape, block: int, rng: np.random.Generator, size: tuple[int, int] = (SIZE, SIZE)
) -> Batch:
    """A batch of frames of ``size`` (H, W); ``rng`` decides everything.

    Canvases are turned, mirrored and recoloured, so that few serve as many. Where a canvas is fewer views wide than one
    of `revisit-nano`, several make one. Clips that are whole paths depend on their number of frames alone, not on the
    block size.
    """
    tiles = -(-size[1] // PIXELS_PER_VIEW)
    canvases, poses, scenes, orders = [], [], [], []
    count, length = shape.blocks * block, max((shape.span or shape.blocks) * block, SHORTEST)
    for _ in range(shape.batch):
        scenes.append(int(rng.integers(len(pool))))
        orders.append(rng.permutation(3))
        others = [int(rng.integers(len(pool))) for _ in range(tiles**2 - 1)]
        rows = pool[[scenes[-1], *others]][:, orders[-1].tolist()].unflatten(0, (tiles, tiles))
        canvas = torch.cat(torch.cat(rows.unbind(1), 3).unbind(0), 1)
        canvas = torch.rot90(canvas, int(rng.integers(4)), (1, 2))
        canvases.append(canvas.flip(2) if rng.random() < 0.5 else canvas)
        switch = int(rng.integers(max(length // 4, 3), length // 2 + 1))
        kind, speed = str(rng.choice(KINDS)), str(rng.choice(shape.speeds))
        path = camera_path(kind, speed, rng, switch=switch, frames=length)
        poses.append(path if length == count else path[shape.choose(path, count, block, rng)])
    cameras = torch.from_numpy(np.stack(poses))
    canvas_batch = torch.stack(canvases)
    inverted = rng.random(shape.batch) < 0.5
    pictures = (
        torch.where(torch.from_numpy(inverted)[:, None, None, None], 255 - canvas_batch, canvas_batch).float() / 255
    )
    told = tell(cameras, shape, block, rng)
    return Batch(render(pictures, cameras, size, covers=size), *told, np.array(scenes), np.stack(orders), inverted)


def tell(cameras: Tensor, shape: ClipShape, block: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """What a network is told of clips seen by cameras (B, F, 3): ``pose``, ``frame`` and ``shown`` of a :class:`Batch`.

    Where the world's origin lies, and how much time passes between blocks, is drawn.
    """
    pose = relative(cameras)
    pose[..., :2] += torch.from_numpy(rng.uniform(-SHIFT, SHIFT, (len(cameras), 1, 2)))
    leaps = rng.integers(0, shape.leap + 1, shape.blocks) * block
    frame = np.arange(shape.blocks * block) + np.repeat(leaps.cumsum(), block)
    return pose, torch.from_numpy(frame), shown_before(cameras, block)
