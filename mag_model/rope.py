"""Three-dimensional rotary position embedding, applied when keys are read, so that a cache can choose positions.

Source: RoFormer (arXiv 2104.09864) over (frame, row, column) as in Wan2.1: adjacent channels form a pair, each axis has
its own channels and its own frequencies. Angles are made in float64. Channels beyond the three axes do not turn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mag_model.spec import BackboneSpec

THETA = 10_000.0


def angles(spec: BackboneSpec, frame: Tensor) -> Tensor:
    """Angles of every token of some frames.

    Args:
        frame: (F,) int64 absolute frame indices.
    Returns:
        (F * S, sum(spec.rope) / 2) float64, radians.
    """
    rows, cols = spec.grid
    device = frame.device
    index = torch.stack(
        torch.meshgrid(frame, torch.arange(rows, device=device), torch.arange(cols, device=device), indexing="ij")
    )
    parts = []
    for axis, channels in enumerate(spec.rope):
        exponent = torch.arange(0, channels, 2, dtype=torch.float64, device=device) / max(channels, 1)
        parts.append(index[axis].reshape(-1, 1).double() * THETA**-exponent)
    return torch.cat(parts, dim=1)


def turns(spec: BackboneSpec, frame: Tensor) -> Tensor:
    """(F * S, 1, R) complex128: what :func:`rotate` multiplies the channel pairs of each token by."""
    angle = angles(spec, frame)[:, None]
    return torch.polar(torch.ones_like(angle), angle)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn the first channels of each head.

    Args:
        x: (B, N, H, D), float32 or float64.
        turn: (N, 1, R) complex, with 2 R <= D.
    Returns:
        (B, N, H, D), dtype of ``x``.
    """
    pairs = turn.shape[-1]
    turning, still = x.split([2 * pairs, x.shape[-1] - 2 * pairs], dim=-1)
    numbers = torch.view_as_complex(turning.unflatten(-1, (pairs, 2)))
    turned = torch.view_as_real(numbers * turn.to(numbers.dtype)).flatten(-2)
    return torch.cat([turned, still], dim=-1)
