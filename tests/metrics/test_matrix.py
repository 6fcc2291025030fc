"""Matrices from matrix products: near enough everywhere, exact where something is decided, the same in pieces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from magbench.metrics import matrix
from magbench.metrics.frame.lpips import lpips
from magbench.metrics.frames import Video
from magbench.metrics.matrix import Embedded, lpips_matrix, matrices

COUNT = 30


def random_frames(n: int, seed: int) -> Tensor:
    return torch.rand(n, 3, 32, 40, generator=torch.Generator().manual_seed(seed))


def pair_by_pair(gen: Tensor, truth: Tensor) -> NDArray[np.float64]:
    return np.stack([lpips(gen, truth[j : j + 1].expand(gen.shape)) for j in range(len(truth))], axis=1)


def test_every_entry_is_near_and_each_rows_least_is_exact() -> None:
    gen, truth = random_frames(13, 1), random_frames(15, 2)
    gen[3] = truth[7]
    found, wanted = lpips_matrix(gen, truth), pair_by_pair(gen, truth)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=5e-7)
    np.testing.assert_array_equal(found.min(axis=1), wanted.min(axis=1))
    np.testing.assert_array_equal(found.argmin(axis=1), wanted.argmin(axis=1))
    np.testing.assert_array_equal(found.diagonal(), wanted.diagonal())
    assert found[3, 7] == 0


def test_near_ties_are_decided_by_direct_distances(golden_frames: Callable[[str], Tensor]) -> None:
    """True frames that differ in a few grey levels, and one that is there twice: the first of equals wins."""
    frame = golden_frames("ground_truth")[:1]
    truth = frame.repeat(12, 1, 1, 1)
    for k in range(10):
        truth[k, :, k, k] = 1 - truth[k, :, k, k]
    gen = golden_frames("noisy")
    found, wanted = lpips_matrix(gen, truth), pair_by_pair(gen, truth)
    np.testing.assert_array_equal(found.argmin(axis=1), wanted.argmin(axis=1))
    assert lpips_matrix(truth[11:], truth).argmin() == 10


@pytest.mark.parametrize("held", [0, 13 * 32 * 40, 25 * 32 * 40])
def test_pieces_give_the_same(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    gen, truth = (Video("frames", random_frames(COUNT, seed)) for seed in (3, 4))
    whole, among = matrices(gen, Embedded(truth), own=True)
    np.testing.assert_allclose(among, pair_by_pair(truth.frames, truth.frames), rtol=0, atol=5e-7)
    monkeypatch.setattr(matrix, "HELD_PIXELS", held)
    assert len(Embedded(truth).blocks) > 1
    pieces, among_pieces = matrices(gen, Embedded(truth), own=True)
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=5e-7)
    np.testing.assert_allclose(among_pieces, among, rtol=0, atol=5e-7)
    np.testing.assert_array_equal(pieces.min(axis=1), whole.min(axis=1))


def test_true_frames_among_themselves() -> None:
    video = Video("frames", random_frames(5, 5))
    _, among = matrices(video, Embedded(video), own=True)
    np.testing.assert_array_equal(among, among.T)
    np.testing.assert_array_equal(among.diagonal(), 0)
    assert among[~np.eye(5, dtype=bool)].min() > 0
