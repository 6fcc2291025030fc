"""A generated return beside the true one, and what several protocols need of the two, computed once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frame.ssim import ssim
from magbench.metrics.frames import Pixels, Video, check_videos
from magbench.metrics.in_place import Layout, in_place
from magbench.metrics.matrix import Embedded, Matrix, matrices

if TYPE_CHECKING:
    from torch import Tensor

Values = NDArray[np.float64]
Match = NDArray[np.int64]

CHUNK = 12
"""Frames that are float32 at a time."""


class Truth:
    """A true return, kept for as long as generated ones are compared with it.

    Args:
        frames: (n, 3, H, W) uint8, or float32 in [0, 1].
    """

    def __init__(self, frames: Tensor | Pixels) -> None:
        self.video = Video("ground truth", frames)
        self.embedded = Embedded(self.video)
        self.layout = Layout.of(self.video)
        self.among: Matrix | None = None
        """(n, n) LPIPS of the true frames among themselves, once a pair has asked for it."""


class Pair:
    """A generated and a true return of as many frames and of one size.

    Args:
        gen: (n, 3, H, W) uint8, or float32 in [0, 1].
    """

    def __init__(self, gen: Tensor | Pixels, truth: Truth) -> None:
        self.gen = Video("generated", gen)
        self.truth = truth
        check_videos(self.gen, truth.video)
        self._distances: Matrix | None = None
        self._ssim: dict[tuple[int, int], float] = {}

    def __len__(self) -> int:
        return len(self.gen)

    @property
    def distances(self) -> Matrix:
        """(n, n) LPIPS of generated (row) against true frames (column)."""
        if self._distances is None:
            self._distances, _ = matrices(self.gen, self.truth.embedded)
        return self._distances

    @property
    def among(self) -> Matrix:
        """(n, n) LPIPS of the true frames among themselves; `distances` come with it at little cost."""
        if self.truth.among is None:
            self._distances, self.truth.among = matrices(self.gen, self.truth.embedded, own=True)
        return self.truth.among

    @property
    def in_place(self) -> Matrix:
        """(n, n) whether things in generated frames (row) are where they are in true frames (column)."""
        return in_place(Layout.of(self.gen), self.truth.layout)

    @property
    def lpips(self) -> Values:
        """(n,) LPIPS of frame i against frame i."""
        return self.distances.diagonal().copy()

    def ssim(self, match: Match) -> Values:
        """(n,) SSIM of generated frame i against true frame match[i]; none is computed twice."""
        import torch

        pairs = list(enumerate(match.tolist()))
        new = [pair for pair in pairs if pair not in self._ssim]
        for start in range(0, len(new), CHUNK):
            some = new[start : start + CHUNK]
            gen, truth = (torch.tensor(places) for places in zip(*some, strict=True))
            found = ssim(self.gen.part(gen), self.truth.video.part(truth))
            self._ssim.update(zip(some, found.tolist(), strict=True))
        return np.array([self._ssim[pair] for pair in pairs])

    def each(self, function: Callable[[Tensor, Tensor], Values], match: Match) -> Values:
        """(n,) ``function`` of generated frame i and true frame match[i]."""
        return each(function, (self.gen, np.arange(len(self))), (self.truth.video, match))


def each(function: Callable[[Tensor, Tensor], Values], one: tuple[Video, Match], other: tuple[Video, Match]) -> Values:
    """(n,) ``function`` of frames of two videos, each at (n > 0,) places, a few at a time."""
    import torch

    (a, here), (b, there) = one, other
    pairs = zip(*(torch.from_numpy(places).split(CHUNK) for places in (here, there)), strict=True)
    return np.concatenate([function(a.part(i), b.part(j)) for i, j in pairs])
