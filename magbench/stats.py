"""Uncertainty of a mean over clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from magbench.errors import MagbenchError


@dataclass(frozen=True)
class Interval:
    """A mean over `n` clips and its confidence interval (None below 2 clips), in the unit of the values."""

    mean: float
    low: float | None
    high: float | None
    n: int


def bootstrap_mean(values: ArrayLike, *, confidence: float = 0.95, resamples: int = 2000, seed: int = 0) -> Interval:
    """Mean of one value per clip, with the percentile interval from resampling clips (Efron, 1979).

    values: (n,), n > 0, finite; several samples of a clip are averaged first. The same values and seed give
    the same interval.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or len(sample) == 0:
        raise MagbenchError(f"a mean needs one value per clip, at least one, not shape {sample.shape}")
    if not np.isfinite(sample).all():
        bad = int(np.flatnonzero(~np.isfinite(sample))[0])
        raise MagbenchError(f"value {bad} of {len(sample)} is {sample[bad]:g}; a mean needs finite values")
    mean = float(sample.mean())
    if len(sample) < 2:
        return Interval(mean, None, None, len(sample))
    drawn = np.random.default_rng(seed).integers(len(sample), size=(resamples, len(sample)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(sample[drawn].mean(axis=1), [tail, 1 - tail])
    return Interval(mean, float(low), float(high), len(sample))
