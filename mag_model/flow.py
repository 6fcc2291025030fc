"""Flow matching: x_s = (1 - s) x0 + s noise, s in [0, 1] (arXiv 2210.02747; the paper, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def shift_sigma(sigma: Tensor, shift: float) -> Tensor:
    """Noise levels in [0, 1] moved towards 1: s' = shift s / (1 + (shift - 1) s)."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def sampling_sigmas(steps: Sequence[float], shift: float) -> list[float]:
    """Noise levels of the denoising steps. 1000, 750, 500, 250 with shift 5 give 1, 0.9375, 0.8333, 0.625.

    They are shifted in float32, as those that networks were trained on: the last bit of a timestep is felt.
    """
    return shift_sigma(torch.tensor(steps) / 1000, shift).tolist()


def add_noise(x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """Noised latents. ``x0`` and ``noise`` (B, F, C, h, w); ``sigma`` (B, F)."""
    level = sigma[:, :, None, None, None]
    return (1 - level) * x0 + level * noise


def clean_from_flow(noised: Tensor, flow: Tensor, sigma: Tensor) -> Tensor:
    """Clean latents from noised ones and the flow (noise minus clean), (B, F, C, h, w) each; computed in float64."""
    level = sigma.double()[:, :, None, None, None]
    return (noised.double() - level * flow.double()).to(noised.dtype)
