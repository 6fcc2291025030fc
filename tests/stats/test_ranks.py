"""Ranks with ties: the rule by hand, and how often equal models share a rank in simulated tables."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from magbench.stats import ALPHA, compare_paired, holm, ranks


def matrix(count: int, alike: set[tuple[int, int]]) -> list[list[bool]]:
    return [[(min(i, j), max(i, j)) not in alike for j in range(count)] for i in range(count)]


@pytest.mark.parametrize(
    ("alike", "wanted"),
    [
        (set(), [1, 2, 3, 4]),
        ({(0, 1)}, [1, 1, 3, 4]),
        ({(0, 1), (1, 2)}, [1, 1, 1, 4]),  # sharing is transitive
        ({(0, 2)}, [1, 1, 1, 4]),  # and what stands between two that share, shares
        ({(0, 1), (2, 3)}, [1, 1, 3, 3]),
        ({(2, 3)}, [1, 2, 3, 3]),
    ],
)
def test_ranks_by_hand(alike: set[tuple[int, int]], wanted: list[int]) -> None:
    assert ranks(matrix(4, alike)) == wanted
    assert ranks([]) == []


def ranked(scores: NDArray[np.float64]) -> list[int]:
    """(models, clips) -> the rank of each model."""
    order = np.argsort(-scores.mean(axis=1))
    pairs = list(combinations(range(len(order)), 2))
    found = [compare_paired(scores[order[i]], scores[order[j]]) for i, j in pairs]
    corrected = dict(zip(pairs, holm([f.p for f in found]), strict=True))
    told = dict(zip(pairs, (f.told_apart(corrected[pair]) for pair, f in zip(pairs, found, strict=True)), strict=True))
    places = ranks([[told.get((min(i, j), max(i, j)), True) for j in range(len(order))] for i in range(len(order))])
    return [places[list(order).index(model)] for model in range(len(order))]


@pytest.mark.parametrize("others", [(), (0.06, 0.3), (-0.3, -0.1, 0.08)], ids=str)
def test_equal_models_under_different_seeds_share_a_rank(others: tuple[float, ...]) -> None:
    """A model twice (noise of its seed apart), alone or among better, close and worse ones: 42 skewed clips."""
    rng = np.random.default_rng(11)
    tables, shared = 200, 0
    for _ in range(tables):
        scene = rng.beta(2, 4, size=42)
        effects = np.array([0.0, 0.0, *others])[:, None]
        noise = rng.normal(0, 0.1, size=(len(effects), 42)) * rng.exponential(1, size=42)
        first, second, *_ = ranked(scene + effects + noise)
        shared += first == second
    assert shared >= 0.95 * tables


def test_models_that_differ_are_told_apart() -> None:
    rng = np.random.default_rng(12)
    scene = rng.normal(20, 3, size=42)
    assert ranked(np.stack([scene + rng.normal(shift, 0.5, 42) for shift in (1, 3, 2)])) == [3, 1, 2]
    assert ALPHA == 0.05
