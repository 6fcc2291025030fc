"""Scores of chosen pixels: over all pixels the whole frame's, over some what the hand computes."""

from __future__ import annotations

import numpy as np
import torch

from magbench.metrics import Pair, Truth
from magbench.metrics.frame.psnr import psnr
from magbench.metrics.frame.ssim import ssim
from magbench.metrics.masked import masked
from tests.metrics.test_lpips import plain_lpips, random_frames


def test_over_all_pixels_they_are_those_of_the_frame() -> None:
    gen, truth = random_frames(2, 40, 48, 1), random_frames(2, 40, 48, 2)
    (found,) = masked(Pair(gen, Truth(truth)), [np.ones((2, 40, 48), bool)])
    np.testing.assert_allclose(found["psnr"].values, psnr(gen, truth))
    np.testing.assert_allclose(found["ssim"].values, ssim(gen, truth))
    np.testing.assert_allclose(found["lpips"].values, plain_lpips(gen, truth), atol=1e-5)


def test_only_chosen_pixels_count() -> None:
    truth = torch.full((3, 3, 40, 48), 0.5)
    gen = truth.clone()
    gen[:, :, :, 24:] += 0.1
    left = np.zeros((3, 40, 48), bool)
    left[:, :, :12] = True  # far from what differs, for windows and receptive fields
    right = np.zeros((3, 40, 48), bool)
    right[:2, :, 24:] = True
    same, apart = masked(Pair(gen, Truth(truth)), [left, right])
    assert same["psnr"].values.tolist() == [100.0] * 3
    np.testing.assert_allclose(same["ssim"].values, 1)
    np.testing.assert_allclose(apart["psnr"].values, 20, rtol=1e-4)
    assert apart["psnr"].frames.tolist() == [0, 1]


def test_a_handful_of_pixels_has_no_value_and_the_border_no_ssim() -> None:
    gen, truth = random_frames(1, 40, 48, 3), random_frames(1, 40, 48, 4)
    few, border = np.zeros((2, 1, 40, 48), bool)
    few[0, 20, 20:30] = True
    border[0, :, :4] = True
    nothing, along = masked(Pair(gen, Truth(truth)), [few, border])
    assert [len(score.frames) for score in nothing.values()] == [0, 0, 0]
    assert {name: len(score.values) for name, score in along.items()} == {"psnr": 1, "ssim": 0, "lpips": 1}
