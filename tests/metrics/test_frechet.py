"""The Frechet distance against its formula with scipy's matrix root, and what must be far and what near."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from magbench.metrics.frechet import content, frechet


def test_it_is_the_formula() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=(60, 5)), random.normal(size=(40, 5)) @ random.normal(size=(5, 5)) + 1
    left, right = np.cov(a.T), np.cov(b.T)
    apart = np.square(a.mean(0) - b.mean(0)).sum()
    wanted = apart + np.trace(left + right - 2 * sqrtm(left @ right).real)
    assert frechet(a, b) == pytest.approx(wanted, rel=1e-9)
    assert frechet(b, a) == pytest.approx(wanted, rel=1e-9)


def test_the_same_set_is_no_distance_and_fewer_frames_than_numbers_are_no_trouble() -> None:
    a = np.random.default_rng(0).normal(size=(7, 30))
    assert frechet(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet(a, a + 2) == pytest.approx(4 * 30)


def test_features_do_not_depend_on_what_stands_beside_a_frame() -> None:
    frames = torch.randint(0, 256, (14, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = content(frames)
    assert found.shape == (14, 256)
    np.testing.assert_allclose(found[13:], content(frames[13:]), atol=1e-6)
