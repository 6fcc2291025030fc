"""Retention against gap: how much is left of a view after so many frames, and the gap at which half is left.

The half-life assumes no law of forgetting. Real models do not forget exponentially: a window forgets at one step, a
full history not at all. So the curve is only taken to be falling (isotonic least squares: pool adjacent violators,
Ayer et al., 1955), and its half-life is where it passes one half, on the line between the two gaps around it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from magbench.analysis.retention import PROTOCOL
from magbench.runs.records import Record
from magbench.stats import Interval, bootstrap_mean

METRIC = "lpips"
HALF = 0.5
BINS = 8
RESAMPLES = 1000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class HalfLife:
    """The gap, in frames, at which half is retained, and its 95 % band (None below 2 clips).

    ``inf``: still above half at ``longest``, the longest gap seen. ``-inf``: below half at ``shortest`` already. Both
    are findings, and no number is made up for them.
    """

    gap: float
    low: float | None
    high: float | None
    shortest: int
    longest: int

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return self._side(self.gap)
        return f"{self._side(self.gap)} [{self._side(self.low)}, {self._side(self.high)}]"

    def _side(self, gap: float) -> str:
        if math.isinf(gap):
            return f"> {self.longest}" if gap > 0 else f"< {self.shortest}"
        return f"{gap:.1f}"


@dataclass(frozen=True)
class GapPoint:
    """Mean retention over clips of the frames whose gap is ``first`` to ``last``; ``gap`` is their mean gap."""

    first: int
    last: int
    gap: float
    retained: Interval


@dataclass(frozen=True)
class GapCurve:
    """Retention of one model against gap, for one metric."""

    model: str
    metric: str
    points: tuple[GapPoint, ...]
    half_life: HalfLife


def is_curved(record: Record) -> bool:
    """Whether a record holds the retention of each frame: all that :func:`gap_curves` looks at."""
    return (record.protocol, record.metric, record.region) == (PROTOCOL, METRIC, "all")


def gap_curves(records: Sequence[Record]) -> list[GapCurve]:
    """A curve for every model and reference that has retention of ``METRIC`` at some gap, by name."""
    chosen = list(filter(is_curved, records))
    curves = []
    for model in sorted({r.model for r in chosen}):
        gaps, table = _by_clip([r for r in chosen if r.model == model])
        if len(gaps):
            curves.append(GapCurve(model, METRIC, _points(gaps, table), half_life(gaps, table)))
    return curves


def _by_clip(records: Sequence[Record]) -> tuple[NDArray[np.int64], Values]:
    """Gaps (G,) and the mean retention (clips, G) of each clip's frames and samples there, NaN where it has none."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for gap, value in zip(record.gap or (), record.per_frame or (), strict=True):
            if gap > 0:
                found[record.clip][gap].append(value)
    gaps = sorted({gap for clip in found.values() for gap in clip})
    rows = [[fmean(clip[gap]) if gap in clip else math.nan for gap in gaps] for _, clip in sorted(found.items())]
    return np.array(gaps, np.int64), np.array(rows, np.float64)


def _points(gaps: NDArray[np.int64], table: Values) -> tuple[GapPoint, ...]:
    points = []
    for places in np.array_split(np.arange(len(gaps)), min(BINS, len(gaps))):
        part = table[:, places]
        clips = part[np.isfinite(part).any(axis=1)]
        weight = np.isfinite(part).sum(axis=0)
        retained = bootstrap_mean(np.nanmean(clips, axis=1))
        gap = float((gaps[places] * weight).sum() / weight.sum())
        points.append(GapPoint(int(gaps[places[0]]), int(gaps[places[-1]]), gap, retained))
    return tuple(points)


def half_life(gaps: NDArray[np.int64], table: Values, *, seed: int = 0) -> HalfLife:
    """Gap at which retention falls below one half.

    Args:
        gaps: (G,) rising, in frames.
        table: (clips, G) retention, NaN where a clip has no frame with that gap.
    """
    known = np.isfinite(table)
    filled = np.where(known, table, 0.0)
    clips = len(table)

    def crossing(weight: Values) -> float:
        """``weight`` (clips,): how often each clip was drawn."""
        seen = weight @ known
        there = seen > 0
        return _crossing(gaps[there], _falling((weight @ filled)[there] / seen[there], seen[there]))

    low = high = None
    if clips > 1:
        drawn = np.random.default_rng(seed).multinomial(clips, [1 / clips] * clips, size=RESAMPLES)
        found = [crossing(weight.astype(np.float64)) for weight in drawn]
        low, high = (float(q) for q in np.quantile(found, [0.025, 0.975], method="inverted_cdf"))
    return HalfLife(crossing(np.ones(clips)), low, high, int(gaps[0]), int(gaps[-1]))


def _falling(values: Values, weight: Values) -> Values:
    """The non-increasing curve (G,) nearest to ``values`` in weighted least squares."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, mass in zip(values.tolist(), weight.tolist(), strict=True):
        length = 1
        while blocks and blocks[-1][0] < value:
            mean, other, more = blocks.pop()
            value = (mean * other + value * mass) / (other + mass)
            mass, length = mass + other, length + more
        blocks.append((value, mass, length))
    return np.repeat([mean for mean, _, _ in blocks], [length for _, _, length in blocks])


def _crossing(gaps: NDArray[np.int64], curve: Values) -> float:
    points = list(zip(gaps.tolist(), curve.tolist(), strict=True))
    if points[0][1] < HALF:
        return -math.inf
    for (before, above), (after, below) in pairwise(points):
        if below < HALF:
            return before + (after - before) * (above - HALF) / (above - below)
    return math.inf
