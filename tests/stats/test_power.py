"""The smallest detectable difference: against the exact power of Student's test, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from magbench.stats import detectable, detectable_line, sign_flip_p
from magbench.stats.prior import PRIORS


@pytest.mark.parametrize("clips", [9, 42, 176])
def test_the_exact_power_at_that_difference_is_80_percent(clips: int) -> None:
    found = detectable(clips, 2.0)
    assert found is not None
    shift = found / 2.0 * np.sqrt(clips)
    edge = stats.t.ppf(0.975, clips - 1)
    power = stats.nct.sf(edge, clips - 1, shift) + stats.nct.cdf(-edge, clips - 1, shift)
    assert power == pytest.approx(0.8, abs=0.012)


def test_the_test_we_use_has_that_power() -> None:
    found = detectable(42, 1.0)
    differences = np.random.default_rng(4).normal(found, 1.0, size=(400, 42))
    assert np.mean([sign_flip_p(d) <= 0.05 for d in differences]) == pytest.approx(0.8, abs=0.05)


def test_more_comparisons_and_fewer_clips_detect_less() -> None:
    one, many, few = detectable(42, 1.0), detectable(42, 1.0, comparisons=91), detectable(10, 1.0)
    assert one is not None and many is not None and few is not None
    assert one < many and one < few
    assert detectable(5, 1.0) is None
    assert min(sign_flip_p(np.ones(n)) for n in range(1, 6)) > 0.05 >= sign_flip_p(np.ones(6))


def test_the_line_before_a_run_says_what_it_can_show() -> None:
    least = detectable(42, PRIORS["revisit-nano"].score)
    assert f"42 clips: two models that truly differ by {least:.3f} in ordered score" in detectable_line(
        "revisit-nano", 42
    )
    assert "a guess" in detectable_line("my-suite", 42)
    assert detectable_line("revisit-nano", 1) == "1 clip: no two models can be told apart; 6 clips are the least"
    assert detectable_line("revisit-nano", 2) == "2 clips: no two models can be told apart; 6 clips are the least"
