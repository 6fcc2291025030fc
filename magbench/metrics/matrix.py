"""LPIPS of every frame of one video against every frame of another, in bounded memory.

With the features f of :mod:`magbench.metrics.frame.lpips` the matrix is |f(a)|^2 + |f(b)|^2 - 2 f(a) f(b): a matrix
product. It is off by less than 1e-6 (`tests/metrics/test_matrix.py`), so what it finds nearest is only a short list:
the entries within `MARGIN` of a row's least are taken again as direct distances, and so is the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frame.lpips import BATCH, batch_size, distances, features
from magbench.metrics.frames import Video, check_same_size

if TYPE_CHECKING:
    from torch import Tensor

Matrix = NDArray[np.float64]

HELD_PIXELS = 48 * 480 * 832
"""Pixels of the frames whose features are held, at 41 bytes each: 0.8 GB."""
MARGIN = 1e-5
SLICE = 8192
"""Features in one float32 matrix product; the products are added in float64."""
DIRECT_BYTES = 16 * 2**20
"""Of features that are copied at a time for direct distances."""


def lpips_matrix(gen: Tensor, truth: Tensor) -> Matrix:
    """(n, m) LPIPS of every generated frame (row) against every ground-truth frame (column).

    gen (n, 3, H, W) and truth (m, 3, H, W) float32 in [0, 1], sides >= 31. A row's least entries and the diagonal
    are exact to rounding, the others to 1e-6; every entry is >= 0.
    """
    check_same_size(gen, truth)
    return matrices(Video("generated", gen), Embedded(Video("ground truth", truth)))[0]


@dataclass(frozen=True, eq=False)
class Embedded:
    """A video that others are compared with. Its features are computed once and kept if it is within `HELD_PIXELS`."""

    video: Video

    @property
    def blocks(self) -> list[slice]:
        """The whole video, as many frames at a time as may be held."""
        height, width = self.video.size
        step = _step(self.video)
        return _parts(self.video, step * max(1, HELD_PIXELS // (height * width * step)))

    def part(self, part: slice) -> Tensor:
        """(k, D) float32 features of some frames."""
        return self._all[part] if len(self.blocks) == 1 else features(self.video, part)

    @cached_property
    def _all(self) -> Tensor:
        return features(self.video, slice(0, len(self.video)))


def _step(video: Video) -> int:
    """Frames that pass by at a time: whole batches."""
    batch = batch_size(*video.size)
    return batch * (BATCH // batch)


def _parts(video: Video, step: int) -> list[slice]:
    return [slice(start, min(start + step, len(video))) for start in range(0, len(video), step)]


def matrices(gen: Video, truth: Embedded, *, own: bool = False) -> tuple[Matrix, Matrix]:
    """The matrix gen x truth and, if ``own``, truth x truth (else zeros), for which the same features serve.

    Blocks of the truth are held while the generated frames, and the truth's later ones, pass by.
    """
    import torch

    with torch.inference_mode():
        return _matrices(gen, truth, own)


def _matrices(gen: Video, truth: Embedded, own: bool) -> tuple[Matrix, Matrix]:
    count = len(truth.video)
    cross, among = np.zeros((len(gen), count)), np.zeros((count, count))
    for columns in truth.blocks:
        held = truth.part(columns)
        squares = _squares(held)
        for rows in _parts(gen, _step(gen)):
            cross[rows, columns] = _refined(features(gen, rows), held, squares, rows.start - columns.start)
        if own:
            among[columns, columns] = _product(held, held, squares)
            later = slice(columns.stop, count)
            for rows in _parts(truth.video, _step(gen)):
                if rows.start >= columns.stop:
                    among[rows, columns] = _product(truth.part(rows), held, squares)
            among[columns, later] = among[later, columns].T
        del held  # before the next block is made: there is room for one
    np.fill_diagonal(among, 0)
    return cross, (among + among.T) / 2


def _refined(rows: Tensor, columns: Tensor, squares: Tensor, offset: int) -> Matrix:
    """The product, with direct distances near each row's least and where column = row + ``offset``."""
    import torch

    found = _product(rows, columns, squares)
    near = found <= found.min(axis=1, keepdims=True) + MARGIN
    near |= np.arange(len(columns)) == np.arange(len(rows))[:, None] + offset
    i, j = (torch.from_numpy(places) for places in near.nonzero())
    step = max(1, DIRECT_BYTES // (rows.shape[1] * rows.element_size()))
    pairs = zip(torch.split(i, step), torch.split(j, step), strict=True)
    found[near] = np.concatenate([distances(rows[a], columns[b]) for a, b in pairs])
    return found


def _product(a: Tensor, b: Tensor, squares: Tensor) -> Matrix:
    """(n, m) squared distances of a (n, D) and b (m, D), whose squared lengths are given, from matrix products."""
    import torch

    total = _squares(a)[:, None] + squares
    for x, y in zip(torch.split(a, SLICE, dim=1), torch.split(b, SLICE, dim=1), strict=True):
        total -= 2 * (x @ y.T).double()
    return total.clamp(min=0).numpy()


def _squares(a: Tensor) -> Tensor:
    """(n,) float64 squared lengths of (n, D)."""
    import torch

    return sum(
        (part.double().square().sum(1) for part in torch.split(a, SLICE, dim=1)),
        torch.zeros(len(a), dtype=torch.float64),
    )
