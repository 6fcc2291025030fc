"""Captions of training clips: of the canvas as it was recoloured, as bags of words."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mag_model.nano.camera import relative
from mag_model.nano.text import bags
from mag_model.training.data import SHIFT, Batch
from magbench.core.progress import Progress
from magbench.suites.embedded.revisit_nano import scene_seed
from magbench.suites.worlds.canvas import Contents, draw_canvas
from magbench.suites.worlds.captions import caption
from magbench.suites.worlds.paths import KINDS, SPEEDS, camera_path


def load_contents(folder: Path, scenes: int, workers: int, progress: Progress) -> list[Contents]:
    """What each canvas of the training split is made of, kept in ``folder`` once drawn."""
    path = folder / f"contents-train-{scenes}.npz"
    if not path.exists():
        with get_context("spawn").Pool(workers) as pool:
            progress.stage(f"look at what {scenes} training scenes are made of, once", scenes)
            found = []
            for contents in pool.imap(_contents, range(scenes), chunksize=4):
                found.append(contents)
                progress.step()
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            colours=[len(one.palette) for one in found],
            palette=np.concatenate([one.palette for one in found]),
            painted=np.stack([one.painted for one in found]),
        )
        part.replace(path)
    with np.load(path) as stored:
        palettes = np.split(stored["palette"], stored["colours"].cumsum()[:-1])
        return [Contents(palette, painted) for palette, painted in zip(palettes, stored["painted"], strict=True)]


def _contents(index: int) -> Contents:
    return draw_canvas(np.random.default_rng(scene_seed("train", index)))[1]


def recoloured(contents: Contents, order: NDArray[np.int64], inverted: bool) -> Contents:
    """The contents of a canvas whose colours were exchanged, then inverted."""
    palette = contents.palette[:, order]
    return replace(contents, palette=1 - palette if inverted else palette)


def texts_of(contents: list[Contents], batch: Batch, words: tuple[str, ...]) -> Tensor:
    """(B, F, W + 1) the captions of the clips of a batch."""
    clips = zip(batch.scene.tolist(), batch.order, batch.inverted.tolist(), strict=True)
    told = bags([caption(recoloured(contents[scene], order, inverted)) for scene, order, inverted in clips], words)
    return told[:, None].expand(-1, len(batch.frame), -1)


class Captioned:
    """Captions and cameras of training scenes without a pixel of them: a :class:`mag_model.training.dmd.World`."""

    def __init__(self, contents: list[Contents], words: tuple[str, ...]) -> None:
        self._contents, self._words = contents, words

    def tell(self, batch: int, frames: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=random)))
        prompts, paths = [], []
        for _ in range(batch):
            contents = self._contents[int(rng.integers(len(self._contents)))]
            prompts.append(caption(recoloured(contents, rng.permutation(3), bool(rng.random() < 0.5))))
            kind, speed = str(rng.choice(KINDS)), str(rng.choice(list(SPEEDS)))
            paths.append(camera_path(kind, speed, rng, switch=frames // 2, frames=frames))
        pose = relative(torch.from_numpy(np.stack(paths)))
        pose[..., :2] += torch.from_numpy(rng.uniform(-SHIFT, SHIFT, (batch, 1, 2)))
        return pose, bags(prompts, self._words)[:, None].expand(-1, frames, -1)
