"""Three-dimensional rotary position embedding, applied when keys are read or stored, so that a cache chooses positions.

Source: RoFormer (arXiv 2104.09864) over (frame, row, column) as in Wan2.1: adjacent channels form a pair, each axis has
its own channels and its own frequencies. Angles are made in float64. Channels beyond the three axes do not turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

THETA = 10_000.0


@dataclass(frozen=True)
class Rope:
    """Which channels turn, and over which grid.

    Attributes:
        channels: of a head's channels, how many turn with time, row and column.
        grid: rows and columns of tokens in a frame.
        dtype: complex type in which channels are multiplied; angles are made in float64 in any case.
    """

    channels: tuple[int, int, int]
    grid: tuple[int, int]
    dtype: torch.dtype = torch.complex64

    @property
    def tokens(self) -> int:
        """Tokens a frame."""
        return self.grid[0] * self.grid[1]

    def angles(self, frame: Tensor) -> Tensor:
        """Angles of every token of some frames.

        Args:
            frame: (F,) int64 absolute frame indices.
        Returns:
            (F * S, sum(channels) / 2) float64, radians.
        """
        rows, cols = (torch.arange(side, device=frame.device) for side in self.grid)
        index = torch.stack(torch.meshgrid(frame, rows, cols, indexing="ij"))
        parts = []
        for axis, channels in enumerate(self.channels):
            exponent = torch.arange(0, channels, 2, dtype=torch.float64, device=frame.device) / max(channels, 1)
            parts.append(index[axis].reshape(-1, 1).double() * (1 / THETA**exponent))
        return torch.cat(parts, dim=1)

    def turns(self, frame: Tensor) -> Tensor:
        """(F * S, 1, R) complex: what :func:`rotate` multiplies the channel pairs of each token by."""
        angle = self.angles(frame)[:, None]
        return torch.polar(torch.ones_like(angle), angle).to(self.dtype)


def rotate(x: Tensor, turn: Tensor) -> Tensor:
    """Turn the first channels of each head.

    Args:
        x: (B, N, H, D).
        turn: (N, 1, R) complex, with 2 R <= D; the product is made in its precision.
    Returns:
        (B, N, H, D), dtype of ``x``.
    """
    pairs = turn.shape[-1]
    turning, still = x.split([2 * pairs, x.shape[-1] - 2 * pairs], dim=-1)
    numbers = torch.view_as_complex(turning.to(turn.real.dtype).unflatten(-1, (pairs, 2)))
    turned = torch.view_as_real(numbers * turn).flatten(-2).to(x.dtype)
    return torch.cat([turned, still], dim=-1) if still.shape[-1] else turned
