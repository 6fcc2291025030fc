"""Whether what a frame shows is where it is in the true frame: the layout of two frames, compared in place.

LPIPS on small frames knows what is shown better than where: AlexNet's features see 32x32 as 7x7 places, then as 3x3.
So a frame upside down, mirrored, shifted or in exchanged colours is similar to the truth. Here frames are reduced to a
grid of local means, which a codec, a blur or a change of light hardly touch, and correlated cell by cell with sign;
what the scene's own other views reach counts nothing. A camera between two true frames is a little displaced: along
the truth's own motion, half a frame of it is allowed for. Formulas: docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frames import Video
from magbench.metrics.matrix import Matrix

if TYPE_CHECKING:
    from torch import Tensor

Grids = NDArray[np.float64]
Step = tuple[int, int]

CELLS = 16
"""Local means along the shorter side of a frame."""
FINE, COARSE, TINT = 0.7, 3.0, 1.0
"""Cells; sigma of the Gaussians: luma is kept between the first two, colour below the third."""
CONTRAST = (0.01, 0.04, 0.04)
"""Of luma and of the two colours, of 1; what varies less than this agrees with anything that varies as little."""
USUAL = 0.75
"""Quantile of the scene's own other views that counts nothing."""
STRICT = 0.6
"""The most that may count nothing: under a slow camera, other views are nearly the same."""
PLACED = 0.8
"""Agreement from which a frame counts in full; below, in proportion."""
AROUND = 2
"""Frames before and after of which the best agreement counts: a camera at another speed passes between true frames."""
CHUNK = 12
"""Frames that are float32 at a time."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where things are in n frames.

    Attributes:
        luma: (n, a, b), the mean of R, G and B without what is finer or coarser than a thing.
        tint: two (n, a, b), (R - B) / 2 and (R + B) / 4 - G / 2; their means stay: a colour is not relative.
    """

    luma: Grids
    tint: tuple[Grids, Grids]

    @classmethod
    def of(cls, video: Video) -> Layout:
        """The layout of each frame."""
        parts = [_means(video.part(slice(start, start + CHUNK))) for start in range(0, len(video), CHUNK)]
        red, green, blue = np.moveaxis(np.concatenate(parts), 1, 0)
        light = _smooth((red + green + blue) / 3, FINE)
        warm, pink = (red - blue) / 2, (red + blue) / 4 - green / 2
        return cls(light - _smooth(light, COARSE), (_smooth(warm, TINT), _smooth(pink, TINT)))

    @cached_property
    def steps(self) -> list[Step]:
        """Displacements that are allowed for where these are true frames."""
        return _half_way(self.luma)

    @cached_property
    def floor(self) -> NDArray[np.float64]:
        """(n,) what a view's agreement counts from where these are true frames."""
        return _other_views(_agreement(self.luma, self.luma, self.steps, CONTRAST[0]))


def in_place(gen: Layout, truth: Layout) -> Matrix:
    """(n, m) in [0, 1]: how far things in each generated frame (row) are where they are in each true frame."""
    found = _agreement(gen.luma, truth.luma, truth.steps, CONTRAST[0])
    placed = np.clip((found - truth.floor) / (1 - truth.floor), 0, 1)
    for a, b, contrast in zip(gen.tint, truth.tint, CONTRAST[1:], strict=True):
        placed *= np.clip(_agreement(a, b, truth.steps, contrast), 0, 1)
    return placed


def counted(agreement: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) in [0, 1]: how much each frame of a return counts, from the agreement of each with its match."""
    around = np.pad(agreement, AROUND)
    best = np.lib.stride_tricks.sliding_window_view(around, 2 * AROUND + 1).max(axis=1)
    return np.minimum(1, best / PLACED)


def _agreement(gen: Grids, truth: Grids, steps: list[Step], contrast: float) -> Matrix:
    """(n, m) the greatest correlation of (n, a, b) with (m, a, b) over some displacements."""
    found = np.full((len(gen), len(truth)), -1.0)
    for step in steps:
        a, b = (grids.reshape(len(grids), -1) for grids in _overlap(gen, truth, step))
        np.maximum(found, _correlation(a @ b.T, _power(a)[:, None], _power(b), contrast, a.shape[1]), out=found)
    return found


def _half_way(luma: Grids) -> list[Step]:
    """Displacements on the line from half a usual step back to half a usual step on; (0, 0) is one of them.

    The step from a true frame to the next is the displacement, up to half the frame, with the greatest correlation.
    """
    reach = CELLS // 2
    every = list(product(range(-reach, reach + 1), range(-reach, reach + 1)))
    every.sort(key=lambda step: step[0] ** 2 + step[1] ** 2)  # of equals, the nearest
    found = []
    for step in every:
        a, b = (grids.reshape(len(grids), -1) for grids in _overlap(luma[1:], luma[:-1], step))
        found.append(_correlation((a * b).sum(axis=1), _power(a), _power(b), CONTRAST[0], a.shape[1]))
    half = np.median(np.array(every)[np.argmax(found, axis=0)], axis=0) / 2
    length = int(np.ceil(np.abs(half).max()))
    line = [np.rint(half * k / length).astype(int).tolist() for k in range(-length, length + 1)] if length else [(0, 0)]
    return [(down, right) for down, right in line]


def _other_views(among: Matrix) -> NDArray[np.float64]:
    """(m,) what a view's agreement counts from: most of the scene's own other views reach less."""
    count = len(among)
    others = among[~np.eye(count, dtype=bool)].reshape(count, count - 1)
    return np.clip(np.quantile(others, USUAL, axis=1), 0, STRICT)


def _overlap(a: Grids, b: Grids, step: Step) -> tuple[Grids, Grids]:
    """The cells of (n, h, w) and (m, h, w) that show the same if ``a`` is displaced by ``step`` cells (down, right)."""
    return _cut(a, step), _cut(b, (-step[0], -step[1]))


def _cut(grids: Grids, step: Step) -> Grids:
    down, right = (slice(max(0, by), side + min(0, by)) for by, side in zip(step, grids.shape[1:], strict=True))
    return grids[:, down, right]


def _correlation(dot: Grids, power: Grids, other: Grids, contrast: float, cells: int) -> Grids:
    """Cosine of the angle between grids of so many cells; towards 1 where neither has contrast."""
    least = contrast**2 * cells
    return np.asarray((dot + least) / (np.sqrt(power * other) + least))


def _power(grids: Grids) -> Grids:
    return np.asarray((grids**2).sum(axis=1))


def _means(frames: Tensor) -> Grids:
    """(k, 3, H, W) -> (k, 3, a, b) local means, `CELLS` along the shorter side."""
    from torch.nn.functional import adaptive_avg_pool2d

    shorter = min(frames.shape[2:])
    rows, columns = (round(side * CELLS / shorter) for side in frames.shape[2:])
    return np.asarray(adaptive_avg_pool2d(frames, (rows, columns)).double().numpy())


def _smooth(grids: Grids, sigma: float) -> Grids:
    """(n, a, b) through a Gaussian of sigma cells, cut at the borders."""
    down, right = (_gaussian(side, sigma) for side in grids.shape[1:])
    return np.asarray(down @ grids @ right.T)


def _gaussian(side: int, sigma: float) -> Matrix:
    """(side, side) weights; each row sums to 1."""
    place = np.arange(side)
    weights = np.exp(-0.5 * ((place[:, None] - place) / sigma) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
