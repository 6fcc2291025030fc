"""The BCa interval against scipy's, its coverage of known truths, and its edges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from magbench.core.errors import MagbenchError
from magbench.stats import Interval, bootstrap_mean
from magbench.stats.interval import bca_levels, small_sample_tail
from magbench.stats.student import t_cdf, t_quantile

VALUES = np.random.default_rng(7).gamma(2, 3, size=36)
Draw = Callable[[np.random.Generator, tuple[int, int]], NDArray[np.float64]]


@pytest.mark.parametrize("kind", ["skewed", "few", "skewed down", "tied"])
def test_agrees_with_scipy(kind: str) -> None:
    """To rounding on scipy's own resamples, and closely on ours, at the level that is corrected for few clips."""
    values = {"skewed": VALUES, "few": VALUES[:12], "skewed down": -VALUES, "tied": np.round(VALUES)}[kind]
    tail = small_sample_tail(len(values), 0.95)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="BCa", confidence_level=1 - 2 * tail, rng=np.random.default_rng(1)
    )
    wanted = tuple(theirs.confidence_interval)
    levels = bca_levels(values, theirs.bootstrap_distribution, tail)
    assert levels is not None
    assert np.quantile(theirs.bootstrap_distribution, levels) == pytest.approx(wanted, rel=1e-9)
    ours = bootstrap_mean(values)
    assert (ours.mean, ours.n, ours.method) == (pytest.approx(values.mean()), len(values), "BCa")
    assert (ours.low, ours.high) == pytest.approx(wanted, abs=0.08 * (wanted[1] - wanted[0]))


def test_the_tails_are_students_widened_to_the_unbiased_spread() -> None:
    for n in (2, 9, 42):
        wanted = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
        assert small_sample_tail(n, 0.95) == pytest.approx(wanted, rel=1e-6)


def test_student_agrees_with_scipy() -> None:
    for freedom in (1, 2, 3, 8, 41, 175):
        for t in (-2.5, 0.0, 0.3, 4.0):
            assert t_cdf(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)
        for probability in (0.01, 0.5, 0.8, 0.975):
            wanted = stats.t.ppf(probability, freedom)
            assert t_quantile(probability, freedom) == pytest.approx(wanted, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize(
    ("draw", "truth", "clips"),
    [
        pytest.param(lambda rng, shape: rng.normal(20, 3, shape), 20, 42, id="normal, 42"),
        pytest.param(lambda rng, shape: rng.normal(20, 3, shape), 20, 12, id="normal, 12"),
        pytest.param(lambda rng, shape: rng.exponential(1, shape), 1, 42, id="exponential, 42"),
        pytest.param(lambda rng, shape: rng.exponential(1, shape), 1, 20, id="exponential, 20"),
        pytest.param(lambda rng, shape: rng.gamma(2, 1, shape), 2, 12, id="gamma, 12"),
        pytest.param(lambda rng, shape: rng.beta(2, 8, shape), 0.2, 12, id="beta, 12"),
        pytest.param(lambda rng, shape: 1 - rng.beta(0.5, 4, shape), 8 / 9, 42, id="near a ceiling, 42"),
    ],
)
def test_95_percent_intervals_hold_the_truth_95_percent_of_the_time(draw: Draw, truth: float, clips: int) -> None:
    samples = draw(np.random.default_rng(3), (1200, clips))
    found = [bootstrap_mean(sample, resamples=1000) for sample in samples]
    held = np.mean([f.low is not None and f.high is not None and f.low <= truth <= f.high for f in found])
    assert 0.92 <= held <= 0.97


def test_same_seed_same_interval() -> None:
    assert bootstrap_mean(VALUES) == bootstrap_mean(VALUES.tolist())
    assert bootstrap_mean(VALUES) != bootstrap_mean(VALUES, seed=1)


def test_more_confidence_is_wider() -> None:
    wide, narrow = bootstrap_mean(VALUES, confidence=0.99), bootstrap_mean(VALUES, confidence=0.5)
    assert wide.low is not None and narrow.low is not None and wide.low < narrow.low
    assert wide.high is not None and narrow.high is not None and wide.high > narrow.high


def test_where_bca_fails_the_percentiles_say_so() -> None:
    three = bootstrap_mean([1.0, 2.0, 4.0])
    assert (three.low, three.high, three.method) == (1.0, 4.0, "percentile")
    outlier = np.array([0.0] * 41 + [1.0])
    above = np.full(100, 0.5)
    assert bca_levels(outlier, above, 0.025) is None


def test_few_clips() -> None:
    assert bootstrap_mean([3.0]) == Interval(3.0, None, None, 1, "none")
    assert bootstrap_mean([0.1] * 5) == Interval(
        pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1), 5, "percentile"
    )


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
