"""The noise levels that Wan and its descendants were trained on: a table of a thousand, looked up by timestep."""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.flow import shift_sigma

LEVELS = 1000


def levels(shift: float) -> Tensor:
    """(1000,) float32 noise levels, descending from 1, evenly spaced before the shift."""
    return shift_sigma(torch.linspace(1, 0, LEVELS + 1)[:-1], shift)


def nearest(timestep: Tensor, shift: float) -> Tensor:
    """Noise levels of the table that are nearest to timesteps in 0..1000, of any shape."""
    table = levels(shift).to(timestep.device)
    return table[(1000 * table - timestep[..., None]).abs().argmin(-1)]


def training_weights(shift: float) -> Tensor:
    """(1000,) float32 weights of the loss at each level: a bell around timestep 500, lowered to 0; their mean is 1."""
    bell = torch.exp(-2 * ((1000 * levels(shift) - LEVELS / 2) / LEVELS) ** 2)
    bell = bell - bell.min()
    return bell * (LEVELS / bell.sum())
