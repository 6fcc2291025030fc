"""Paired comparison against scipy's permutation test, Holm's correction by hand, and what can never be shown."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from magbench.core.errors import MagbenchError
from magbench.stats import bootstrap_mean, compare_paired, holm, sign_flip_p
from magbench.stats.paired import FLIPS

RNG = np.random.default_rng(5)
A = RNG.normal(20, 3, size=42)
B = A - RNG.normal(0.6, 1, size=42)


def scipys(a: np.ndarray, b: np.ndarray, resamples: float) -> float:
    return stats.permutation_test(
        (a, b),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        n_resamples=resamples,
        vectorized=True,
        rng=np.random.default_rng(1),
    ).pvalue


def test_all_patterns_of_signs_agree_with_scipy() -> None:
    for n in (3, 8, 11):
        assert sign_flip_p(A[:n] - B[:n]) == pytest.approx(scipys(A[:n], B[:n], np.inf))


def test_random_patterns_agree_with_scipy() -> None:
    for shift in (0.0, 0.2):
        wanted = scipys(A - shift, B, 50_000)
        assert sign_flip_p(A - shift - B) == pytest.approx(wanted, abs=4 * np.sqrt(wanted / FLIPS) + 1e-4)


def test_a_comparison_is_of_per_clip_differences() -> None:
    found = compare_paired(A, B)
    assert found.difference == bootstrap_mean(A - B)
    assert found.p == sign_flip_p(A - B)
    assert found.spread == pytest.approx(np.std(A - B, ddof=1))
    assert found.told_apart(0.01) and not found.told_apart(0.06)
    assert not found.told_apart(0.01, noise=abs(found.difference.mean) * 1.01)


def test_the_same_values_are_the_same_model() -> None:
    same = compare_paired(A, A)
    assert (same.difference.mean, same.p) == (0, 1)
    assert not same.told_apart(0.0)


def test_few_clips_can_show_nothing() -> None:
    assert sign_flip_p([1.0]) == 1
    assert sign_flip_p([1.0] * 5) == 2 / 2**5
    assert sign_flip_p([0.1] * 6) == 2 / 2**6


def test_p_is_at_most_alpha_that_often_if_nothing_differs() -> None:
    differences = np.random.default_rng(2).laplace(size=(1000, 12))
    assert 0.035 <= np.mean([sign_flip_p(d) <= 0.05 for d in differences]) <= 0.065


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_values_of_other_clips_are_refused() -> None:
    with pytest.raises(MagbenchError, match="differ in number: 42 and 41"):
        compare_paired(A, B[1:])
