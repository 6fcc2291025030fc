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


def rotate(x: Tensor, angle: Tensor) -> Tensor:
    """Turn the first channels of each head.

    Args:
        x: (B, N, H, D).
        angle: (N, R) with 2 R <= D.
    Returns:
        (B, N, H, D), dtype of ``x``.
    """
    pairs = angle.shape[1]
    cos, sin = (part.to(x.dtype)[None, :, None, :] for part in (angle.cos(), angle.sin()))
    turning, still = x.split([2 * pairs, x.shape[-1] - 2 * pairs], dim=-1)
    even, odd = turning.unflatten(-1, (pairs, 2)).unbind(-1)
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
    return torch.cat([turned, still], dim=-1)
