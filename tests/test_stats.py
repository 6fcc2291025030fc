"""The bootstrap interval against scipy's, and its edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from magbench.errors import MagbenchError
from magbench.stats import Interval, bootstrap_mean

VALUES = np.random.default_rng(7).normal(20, 3, size=36)


def test_agrees_with_scipy() -> None:
    ours = bootstrap_mean(VALUES, resamples=20_000)
    theirs = bootstrap((VALUES,), np.mean, n_resamples=20_000, method="percentile").confidence_interval
    assert ours.mean == pytest.approx(VALUES.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.05)
    assert ours.n == 36


def test_same_seed_same_interval() -> None:
    assert bootstrap_mean(VALUES) == bootstrap_mean(VALUES.tolist())
    assert bootstrap_mean(VALUES) != bootstrap_mean(VALUES, seed=1)


def test_more_confidence_is_wider() -> None:
    wide, narrow = bootstrap_mean(VALUES, confidence=0.99), bootstrap_mean(VALUES, confidence=0.5)
    assert wide.low is not None and narrow.low is not None and wide.low < narrow.low
    assert wide.high is not None and narrow.high is not None and wide.high > narrow.high


def test_few_clips() -> None:
    assert bootstrap_mean([3.0]) == Interval(3.0, None, None, 1)
    assert bootstrap_mean([3.0, 3.0]) == Interval(3.0, 3.0, 3.0, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "at least one, not shape"),
        ([[1.0], [2.0]], r"shape \(2, 1\)"),
        ([1.0, float("nan")], "value 1 of 2 is nan"),
    ],
)
def test_bad_values_are_refused(values: list[float], message: str) -> None:
    with pytest.raises(MagbenchError, match=message):
        bootstrap_mean(values)
