"""PSNR against torchmetrics."""

from __future__ import annotations

import numpy as np
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio

from magbench.metrics.frame.psnr import psnr


def _pair() -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    truth = torch.nn.functional.interpolate(torch.rand(4, 3, 8, 8, generator=random), size=48, mode="bicubic")
    truth = truth.clamp(0, 1)
    return (truth + 0.05 * torch.randn(truth.shape, generator=random)).clamp(0, 1), truth


def test_psnr() -> None:
    gen, truth = _pair()
    wanted = peak_signal_noise_ratio(gen, truth, data_range=1.0, reduction="none", dim=(1, 2, 3))
    np.testing.assert_allclose(psnr(gen, truth), wanted.numpy(), atol=1e-4)
