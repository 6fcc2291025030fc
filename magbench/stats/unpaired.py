"""Two means over different clips."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from magbench.stats.interval import Interval, checked
from magbench.stats.student import t_quantile


def compare_unpaired(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Mean of a minus mean of b with its interval, the spreads not assumed equal (Welch, 1947).

    a, b: one value a clip, of different clips. Degrees of freedom are rounded down, which widens. Without an interval
    where one side has a single clip.
    """
    first, second = checked(a), checked(b)
    mean, n = float(first.mean() - second.mean()), min(len(first), len(second))
    if n < 2:
        return Interval(mean, None, None, n, "none")
    parts = [float(np.var(sample, ddof=1)) / len(sample) for sample in (first, second)]
    if not sum(parts):
        return Interval(mean, mean, mean, n, "Welch")
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(sample) - 1) for part, sample in zip(parts, (first, second), strict=True)
    )
    half = t_quantile((1 + confidence) / 2, max(1, math.floor(freedom))) * math.sqrt(sum(parts))
    return Interval(mean, mean - half, mean + half, n, "Welch")
