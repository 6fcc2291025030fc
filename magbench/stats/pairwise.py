"""Every pair of many models on the same clips: differences, intervals, and p corrected over all pairs together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from magbench.core.errors import MagbenchError
from magbench.stats.interval import RESAMPLES, clip_weights, interval_of
from magbench.stats.paired import EXACT_UP_TO, Paired, sign_patterns

WORK = 500_000_000
"""Patterns times pairs, of which so many are tried: with 224 models or fewer every pattern of a single comparison."""
FEWEST = 2000


@dataclass(frozen=True)
class Pair:
    """Models ``first`` and ``second`` (places in the table that was compared) and what their comparison found.

    corrected_p: the probability that chance alone would give any pair of the table, from this one down in strength,
        so strong a difference.
    """

    first: int
    second: int
    found: Paired
    corrected_p: float


def compare_all(values: ArrayLike) -> list[Pair]:
    """Compare every two of k models.

    p is corrected by the step-down maxT procedure (Westfall and Young, 1993, algorithm 2.8): signs are flipped clip by
    clip for all pairs at once, so that comparisons that share a model or move together count once, where a bound that
    knows nothing of them (Holm's) would count each. The strength of a difference is its mean over its root mean square
    over clips, which flipping leaves as it is.

    Args:
        values: (k, n) one value a model and clip, the same clips in the same order.

    Returns:
        The k (k - 1) / 2 pairs in the order of ``itertools.combinations``.

    Raises:
        MagbenchError: not (k, n) with n > 0, or a value is not finite.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise MagbenchError(f"models are compared by finite values (models, clips), not by shape {table.shape}")
    first, second = np.array(list(combinations(range(len(table)), 2)), dtype=np.intp).reshape(-1, 2).T
    differences = table[first] - table[second]
    p, corrected = _p_values(table, differences, first, second)
    resampled = clip_weights(table.shape[1], RESAMPLES, 0) @ table.T
    spreads = differences.std(axis=1, ddof=1) if table.shape[1] > 1 else None
    return [
        Pair(
            int(i),
            int(j),
            Paired(
                interval_of(differences[number], resampled[:, i] - resampled[:, j]),
                float(p[number]),
                None if spreads is None else float(spreads[number]),
            ),
            float(corrected[number]),
        )
        for number, (i, j) in enumerate(zip(first, second, strict=True))
    ]


def _p_values(
    table: NDArray[np.float64], differences: NDArray[np.float64], first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(pairs,) p of each pair alone, and p corrected over all."""
    size = np.sqrt(np.square(differences).sum(axis=1))
    scale = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
    observed = np.abs(differences.sum(axis=1)) * scale
    order = np.argsort(observed, kind="stable")
    weakest_first = observed[order] - 1e-9
    places = np.ravel_multi_index((first[order], second[order]), (len(table), len(table)))
    patterns = sign_patterns(table.shape[1])
    if table.shape[1] > EXACT_UP_TO:
        patterns = patterns.first(max(FEWEST, WORK // max(len(order), 1)))
    alone, together = np.zeros(len(order), dtype=np.int64), np.zeros(len(order), dtype=np.int64)
    scale = scale[order]
    for sums in patterns @ table.T:
        flipped = np.subtract.outer(sums, sums).ravel()[places]
        flipped *= scale
        np.abs(flipped, out=flipped)
        alone += flipped >= weakest_first
        np.maximum.accumulate(flipped, out=flipped)
        together += flipped >= weakest_first
    observed_too = 0 if table.shape[1] <= EXACT_UP_TO else 1
    hits = np.stack([alone, together]) + observed_too
    p, corrected = hits / (len(patterns) + observed_too)
    corrected = np.maximum.accumulate(corrected[::-1])[::-1]
    back = np.argsort(order, kind="stable")
    return p[back], corrected[back]
