"""Every pair of a table at once: against single comparisons, by hand, and in simulated boards."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from magbench.core.errors import MagbenchError
from magbench.report.ranking import rank
from magbench.stats import compare_all, compare_paired, compare_unpaired, detectable

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("clips", [1, 9, 42])
def test_each_pair_is_what_a_comparison_of_two_finds(clips: int) -> None:
    values = RNG.gamma(2, size=(4, clips)) + np.arange(4)[:, None] * 0.3
    for pair in compare_all(values):
        alone = compare_paired(values[pair.first], values[pair.second])
        assert pair.found.p == pytest.approx(alone.p)
        for name in ("mean", "low", "high"):
            ours, theirs = getattr(pair.found.difference, name), getattr(alone.difference, name)
            assert ours is None if theirs is None else ours == pytest.approx(theirs, abs=1e-12)


def test_the_correction_by_hand() -> None:
    """Three models, four clips: all 16 patterns of signs, the strongest first, each against those not stronger."""
    values = np.array([[4.0, 5, 6, 9], [1, 1, 2, 2], [1, 2, 1, 2]])
    differences = [values[i] - values[j] for i, j in combinations(range(3), 2)]
    size = [np.sqrt((d**2).sum()) for d in differences]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    strengths = np.array([np.abs(signs.T @ d) / s for d, s in zip(differences, size, strict=True)])
    seen = np.array([abs(d.sum()) / s for d, s in zip(differences, size, strict=True)])
    wanted, before = np.zeros(3), 0.0
    order = np.argsort(-seen)
    for place, pair in enumerate(order):
        before = max(before, float((strengths[order[place:]].max(axis=0) >= seen[pair] - 1e-9).mean()))
        wanted[pair] = before
    assert [pair.corrected_p for pair in compare_all(values)] == pytest.approx(list(wanted))


def test_two_models_need_no_correction() -> None:
    (pair,) = compare_all(RNG.normal(size=(2, 12)) + [[0], [0.5]])
    assert pair.corrected_p == pair.found.p


def test_equal_models_are_not_apart() -> None:
    same = np.tile(RNG.normal(size=42), (3, 1))
    assert [pair.corrected_p for pair in compare_all(same)] == [1, 1, 1]


def test_a_false_alarm_anywhere_in_a_table_has_at_most_its_probability() -> None:
    """Twenty equal models, skewed scores."""
    random = np.random.default_rng(3)
    alarms = [any(pair.corrected_p <= 0.05 for pair in compare_all(random.gamma(2, size=(20, 12)))) for _ in range(60)]
    assert sum(alarms) <= stats.binom.ppf(0.999, 60, 0.05)


def test_equal_models_overlap_and_clear_differences_are_found_among_many() -> None:
    """Sixty models: two are equal, two are apart by twice what one comparison of 42 clips detects."""
    random = np.random.default_rng(4)
    overlap, apart = [], []
    for _ in range(6):
        base = random.normal(size=42)
        steps = np.linspace(0, 4, 60)[:, None]
        values = steps + base + random.normal(size=(60, 42)) * np.sqrt(0.5)
        twin = detectable(42, 1.0)
        assert twin is not None
        values[1] = values[0] + random.normal(size=42) * 1e-3
        values[3] = steps[2] + 2 * twin + base + random.normal(size=42) * np.sqrt(0.5)
        order = sorted(range(60), key=lambda k: -values[k].mean())
        found = rank({str(k): dict(enumerate(values[k])) for k in order}, None)  # type: ignore[misc]
        bounds = {k: found.bounds(str(k)) for k in range(4)}
        overlap.append(bounds[0][0] <= bounds[1][1] and bounds[1][0] <= bounds[0][1])
        apart.append(any(pair.apart and {pair.first, pair.second} == {"2", "3"} for pair in found.pairs))
    assert all(overlap)
    assert sum(apart) >= 5


def test_what_is_no_table_is_refused() -> None:
    for values in ([[1.0, float("nan")]], [1.0, 2.0], []):
        with pytest.raises(MagbenchError, match="finite values"):
            compare_all(values)


def test_means_over_different_clips_agree_with_scipy() -> None:
    a, b = RNG.normal(1, 2, size=30), RNG.normal(0, 1, size=12)
    found = compare_unpaired(a, b, confidence=0.99)
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.99)
    assert found.mean == pytest.approx(a.mean() - b.mean())
    assert (found.low, found.high) == (pytest.approx(wanted.low, abs=0.02), pytest.approx(wanted.high, abs=0.02))
    assert found.low is not None and found.low <= wanted.low  # whole degrees of freedom widen
    assert compare_unpaired([1.0], b).low is None
