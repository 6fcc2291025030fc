"""PSNR and SSIM against scikit-image and the official unit values, and what all metrics refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.metrics import METRICS
from magbench.metrics.frame.psnr import CAP, psnr, uncapped_psnr
from magbench.metrics.frame.ssim import ssim
from magbench.metrics.matrix import lpips_matrix

SIZES = [(11, 11), (32, 32), (40, 57)]


def pair(height: int, width: int, *, smooth: bool = False) -> tuple[Tensor, Tensor]:
    """Three frames and a noisy copy."""
    generator = torch.Generator().manual_seed(height)
    truth = torch.rand(3, 3, height, width, generator=generator)
    if smooth:
        truth = torch.linspace(0.8, 0.9, width).expand(3, 3, height, width).contiguous()
    noise = torch.randn(truth.shape, generator=generator)
    return (truth + 0.05 * noise).clamp(0, 1), truth


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_psnr_equals_scikit_image(height: int, width: int, smooth: bool) -> None:
    gen, truth = pair(height, width, smooth=smooth)
    images = zip(truth.numpy(), gen.numpy(), strict=True)
    expected = [peak_signal_noise_ratio(a, b, data_range=1) for a, b in images]
    np.testing.assert_allclose(psnr(gen, truth), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_ssim_equals_scikit_image(height: int, width: int, smooth: bool) -> None:
    gen, truth = pair(height, width, smooth=smooth)
    expected = [
        structural_similarity(
            a.double().numpy(),
            b.double().numpy(),
            channel_axis=0,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in zip(gen, truth, strict=True)
    ]
    np.testing.assert_allclose(ssim(gen, truth), expected, rtol=0, atol=3e-5)  # the window's float32 taps


def test_unit_values(unit_frames: tuple[Tensor, Tensor], golden: dict[str, Any]) -> None:
    gen, truth = unit_frames
    assert psnr(gen, truth).mean() == pytest.approx(golden["unit"]["psnr"], abs=1e-4)
    assert ssim(gen, truth).mean() == pytest.approx(golden["unit"]["ssim"], abs=1e-5)


def test_equal_frames() -> None:
    frames, _ = pair(16, 16)
    assert psnr(frames, frames).tolist() == [CAP] * 3
    assert np.isposinf(uncapped_psnr(frames, frames)).all()
    assert ssim(frames, frames).tolist() == [1.0] * 3


def test_ssim_refuses_frames_smaller_than_its_window() -> None:
    frames, _ = pair(8, 30)
    with pytest.raises(MagbenchError, match="at least 11 pixels a side, not 30x8"):
        ssim(frames, frames)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_bad_input_is_refused(metric: Any) -> None:
    gen, truth = pair(32, 32)
    nan = gen.clone()
    nan[1, 0, 0, 0] = torch.nan
    for bad, message in (
        (nan, r"generated: frames must lie in \[0, 1\], found nan"),
        (gen + 1, r"generated: frames must lie in \[0, 1\], found 1 to"),
        (gen.double(), "generated: frames must be float32, not torch.float64"),
        (gen[0], r"generated: frames must be \(n, 3, H, W\), n > 0, not \(3, 32, 32\)"),
        (gen[:0], r"n > 0, not \(0, 3, 32, 32\)"),
        (gen[:2], "2 generated frames, but 3 ground-truth frames"),
        (gen[:, :, :, :31], "generated frames are 32x31, ground-truth frames 32x32"),
    ):
        with pytest.raises(MagbenchError, match=message):
            metric.function(bad, truth)


def test_a_matrix_refuses_frames_of_two_sizes() -> None:
    gen, truth = pair(32, 32)
    with pytest.raises(MagbenchError, match="32x31"):
        lpips_matrix(gen[..., :31], truth)
