"""Scores of some pixels of a return: of the places that the model was shown, and of those that it never was.

Frame i stands against frame i. PSNR is that of the chosen pixels; SSIM and LPIPS are means of their maps there, so that
a window or a receptive field reaches over the border of what was chosen, as over everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.frame.lpips import METRIC as LPIPS
from magbench.metrics.frame.lpips import batch_size, lpips_maps
from magbench.metrics.frame.psnr import CAP
from magbench.metrics.frame.psnr import METRIC as PSNR
from magbench.metrics.frame.ssim import METRIC as SSIM
from magbench.metrics.frame.ssim import TAPS, ssim_map
from magbench.metrics.pair import Pair, Values
from magbench.metrics.spec import FrameMetric, MainColumn, ScoreSpec

Mask = NDArray[np.bool_]

LEAST_SHARE = 0.01
"""Share of a frame's pixels that must be chosen for the frame to have a value: a handful of pixels says nothing."""
NONE = "the suite does not say which pixels were seen before"
SEEN, NEVER_SEEN = "seen_pixels", "new_pixels"
"""Protocols: pixels whose place a given frame shows, and the others."""


def _of(protocol: str, what: str, title: str, region: str) -> tuple[ScoreSpec, ...]:
    """The three scores of a protocol; LPIPS stands in the main table, where a suite has such scores."""

    def spec(metric: FrameMetric, main: MainColumn | None) -> ScoreSpec:
        return ScoreSpec(
            protocol=protocol,
            name=metric.name,
            version=1,
            unit=metric.unit,
            better=metric.better,
            about=f"{metric.heading} {what}",
            title=metric.title,
            main=main,
            missing=NONE,
        )

    own = [spec(metric, None) for metric in (PSNR, SSIM)]
    return (*own, spec(LPIPS, MainColumn(5, title, region=region, optional=True)))


SEEN_SCORES = _of(SEEN, "of pixels whose place a given frame shows", "LPIPS of seen px ↓", "out_of_window")
NEW_SCORES = _of(NEVER_SEEN, "of pixels whose place no given frame shows", "LPIPS of new px ↓", "all")
MASKED = (*SEEN_SCORES, *NEW_SCORES)
NAMES = (PSNR.name, SSIM.name, LPIPS.name)
EDGE = TAPS // 2


@dataclass(frozen=True)
class Masked:
    """One metric over one choice of pixels: ``values`` (m,) of the frames (m,) that have one; m may be 0."""

    frames: NDArray[np.int64]
    values: Values


class Masks(Protocol):
    """A choice of pixels: of frame i those that are true in (H, W)."""

    def __getitem__(self, frame: int, /) -> Mask: ...


def masked(pair: Pair, masks: Sequence[Masks]) -> list[dict[str, Masked]]:
    """Score frame i against frame i over each choice of pixels: metric -> its values."""
    table = np.full((len(masks), len(pair), len(NAMES)), np.nan)
    step = batch_size(*pair.gen.size)
    for start in range(0, len(pair), step):
        part = slice(start, min(start + step, len(pair)))
        for index, maps in zip(range(len(pair))[part], _maps(pair, part), strict=True):
            for values, mask in zip(table, masks, strict=True):
                if (chosen := mask[index]).mean() >= LEAST_SHARE:
                    values[index] = _means(maps, chosen)
    return [{name: _known(column) for name, column in zip(NAMES, values.T, strict=True)} for values in table]


def _maps(pair: Pair, part: slice) -> Iterator[tuple[Values, Values, Values]]:
    """For each frame of a part: maps of squared error (H, W), SSIM (H - 10, W - 10) and LPIPS (H, W)."""
    gen, truth = pair.gen.part(part), pair.truth.video.part(part)
    apart = lpips_maps(gen, truth).double().numpy()
    images = (frames.permute(0, 2, 3, 1).double().numpy() for frames in (gen, truth))
    for a, b, distance in zip(*images, apart, strict=True):
        yield ((a - b) ** 2).mean(axis=2), ssim_map(a, b).mean(axis=2), distance


def _means(maps: tuple[Values, Values, Values], mask: Mask) -> tuple[float, float, float]:
    """PSNR, SSIM and LPIPS of some pixels; SSIM is NaN where they all lie along the border, where it has no map."""
    error, similar, apart = maps
    inner = mask[EDGE:-EDGE, EDGE:-EDGE]
    with np.errstate(divide="ignore"):
        psnr = min(CAP, float(-10 * np.log10(error[mask].mean())))
    return psnr, float(similar[inner].mean()) if inner.any() else np.nan, float(apart[mask].mean())


def _known(column: Values) -> Masked:
    frames = np.flatnonzero(~np.isnan(column))
    return Masked(frames, column[frames])
