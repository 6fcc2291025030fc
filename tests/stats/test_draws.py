"""A matrix of weights or signs, drawn and multiplied a few rows at a time, is the one drawn at once."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.stats import draws
from magbench.stats.draws import Draws
from magbench.stats.interval import clip_weights
from magbench.stats.paired import FLIPS, sign_patterns


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draws, "BLOCK", 1000)
    clip_weights.cache_clear()
    sign_patterns.cache_clear()


def product(found: Draws, whole: np.ndarray, rng: np.random.Generator) -> None:
    for shape in ((whole.shape[1],), (whole.shape[1], 3)):
        values = rng.normal(size=shape)
        np.testing.assert_allclose(found @ values, whole @ values, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.first(7) @ values, whole[:7] @ values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n", [1, 15, 42, 333, 1500])
def test_weights_are_those_drawn_at_once(n: int) -> None:
    whole = np.random.default_rng(3).multinomial(n, np.full(n, 1 / n), size=40) / n
    product(clip_weights(n, 40, 3), whole, np.random.default_rng(1))


@pytest.mark.parametrize("n", [15, 61])
def test_signs_are_those_drawn_at_once(n: int) -> None:
    whole = 2.0 * np.random.default_rng(0).integers(0, 2, size=(FLIPS, n)) - 1
    found = sign_patterns(n)
    assert len(found) == FLIPS
    product(found, whole, np.random.default_rng(1))
