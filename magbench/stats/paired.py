"""Two models on the same clips: the mean of the per-clip differences, its interval, and how likely it is by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from magbench.core.errors import MagbenchError
from magbench.stats.draws import Draws
from magbench.stats.interval import Interval, bootstrap_mean, checked

ALPHA = 0.05
LEAST_CLIPS = 6
"""With fewer clips the least possible p, 2 / 2^n, is above ALPHA: nothing can be told apart."""
EXACT_UP_TO = 14
"""Up to this many clips every pattern of signs is tried; beyond, `FLIPS` random ones."""
FLIPS = 20_000


@dataclass(frozen=True)
class Paired:
    """A minus B over the clips that both have.

    Attributes:
        difference: mean of the per-clip differences, with its interval.
        p: two-sided, from flipping signs; not corrected for how many such tests were made.
        spread: standard deviation of the per-clip differences, None below 2 clips.
    """

    difference: Interval
    p: float
    spread: float | None

    def told_apart(self, corrected_p: float, noise: float = 0.0) -> bool:
        """Whether A and B differ: p after correction, an interval without 0, and more than the noise level."""
        low, high = self.difference.low, self.difference.high
        excludes_zero = low is not None and high is not None and not low <= 0 <= high
        return corrected_p <= ALPHA and excludes_zero and abs(self.difference.mean) >= noise


def compare_paired(a: ArrayLike, b: ArrayLike) -> Paired:
    """Compare two models; a, b: (n,), one value per clip, the same clips in the same order."""
    first, second = checked(a), checked(b)
    if len(first) != len(second):
        raise MagbenchError(f"paired values differ in number: {len(first)} and {len(second)}")
    difference = first - second
    spread = float(difference.std(ddof=1)) if len(difference) > 1 else None
    return Paired(bootstrap_mean(difference), sign_flip_p(difference), spread)


def sign_flip_p(differences: ArrayLike, *, seed: int = 0) -> float:
    """Two-sided p of the mean of (n,) paired differences if each sign were chance (Fisher's randomisation test).

    Exact up to `EXACT_UP_TO` clips; beyond, from `FLIPS` random patterns, of which the observed one is counted as one
    more. With n clips p is at least 2 / 2^n: fewer than `LEAST_CLIPS` can show nothing at 0.05.
    """
    sample = checked(differences)
    n = len(sample)
    observed = abs(sample.sum())
    flipped = np.abs(sign_patterns(n, seed) @ sample)
    hits = int((flipped >= observed - 1e-12 * np.abs(sample).sum()).sum())
    if n <= EXACT_UP_TO:
        return hits / len(flipped)
    return (hits + 1) / (len(flipped) + 1)


@lru_cache(maxsize=4)
def sign_patterns(n: int, seed: int = 0) -> Draws:
    """(patterns, n) of -1 and 1: all of them for few clips, else random ones."""
    if n <= EXACT_UP_TO:
        bits = np.arange(2**n)[:, None] >> np.arange(n) & 1
        return Draws((2 * bits - 1).astype(np.int8))
    draw = np.random.default_rng(seed).integers
    return Draws.drawn(lambda rows: 2 * draw(0, 2, size=(rows, n)) - 1, (FLIPS, n))


def holm(p: Sequence[float]) -> list[float]:
    """p-values of one table, corrected so that any false alarm in it has probability ALPHA (Holm, 1979)."""
    corrected = [0.0] * len(p)
    least = 0.0
    for place, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        least = max(least, min(1.0, (len(p) - place) * p[i]))
        corrected[i] = least
    return corrected
