"""Which cached frames show what a block will show: fields of view on a plane, point by point."""

from __future__ import annotations

import torch
from torch import Tensor

GRID = 8
"""Points along each side of a view."""


def shown(query: Tensor, held: Tensor) -> Tensor:
    """Say which points of some views lie inside which others.

    Args:
        query: (B, Q, 3) x, y and logarithm of the width of each view.
        held: (B, F, 3) likewise.
    Returns:
        (B, F, Q * GRID * GRID) bool.
    """
    steps = (torch.arange(GRID, device=query.device, dtype=query.dtype) + 0.5) / GRID - 0.5
    width = query[..., 2].exp()
    inside = []
    for axis in (0, 1):
        points = query[..., axis, None] + steps * width[..., None]
        apart = points[:, None] - held[:, :, None, axis, None]
        inside.append(apart.abs() <= 0.5 * held[..., 2].exp()[:, :, None, None] * (1 + 1e-6))
    return (inside[0][..., None] & inside[1][..., None, :]).flatten(2)


def greedy(seen: Tensor, number: int) -> Tensor:
    """Choose frames that together show most, each next one for what the others leave; then begin anew.

    Clips of a batch share one choice: the points that are gained count together. Of frames that gain as much, the
    newest is taken.

    Args:
        seen: (B, F, points) bool: which frame shows which points.
        number: of frames, at most F.
    Returns:
        (number,) ascending places.
    """
    batch, total, points = seen.shape
    everything = seen.new_ones(batch, points)
    left, free = everything, seen.new_ones(total)
    chosen: list[int] = []
    while len(chosen) < min(number, total):
        gain = (seen & left[:, None]).sum((0, 2)).masked_fill(~free, -1)
        best = total - 1 - int(gain.flip(0).argmax())
        if gain[best] <= 0 and left is not everything:
            left = everything
            continue
        chosen.append(best)
        free[best] = False
        left = left & ~seen[:, best]
    return torch.tensor(sorted(chosen), dtype=torch.int64)
