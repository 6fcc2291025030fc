"""Random weights and signs of clips: drawn once, a byte each, and made numbers a few rows at a time.

As floating-point numbers, 20,000 patterns of signs for 2,000 clips are 320 MB, and as many again while they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**21
"""Floating-point numbers that are made of a matrix at once: 16 MB. A smaller matrix is made once and kept."""


@dataclass(frozen=True, eq=False)
class Draws:
    """A matrix (R, n) to multiply values by: ``rows``, int8, divided by ``over``."""

    rows: NDArray[np.int8]
    over: int = 1

    @classmethod
    def drawn(cls, draw: Callable[[int], NDArray[np.int64]], shape: tuple[int, int], over: int = 1) -> Draws:
        """From what draws so many rows at a time, numbers within [-127, 127]: the same, however many at a time."""
        count, step = shape[0], _step(shape[1])
        parts = [draw(min(step, count - start)).astype(np.int8) for start in range(0, count, step)]
        return cls(np.concatenate(parts), over)

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, count: int) -> Draws:
        """Its first rows."""
        return Draws(self.rows[:count], self.over)

    def __matmul__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The product with (n,) or (n, k) values: (R,) or (R, k)."""
        step = _step(self.rows.shape[1])
        if len(self) <= step:
            return self._numbers @ values
        parts = (Draws(self.rows[start : start + step], self.over) for start in range(0, len(self), step))
        return np.concatenate([part._numbers @ values for part in parts])

    @cached_property
    def _numbers(self) -> NDArray[np.float64]:
        return self.rows.astype(np.float64) / self.over


def _step(n: int) -> int:
    return max(1, BLOCK // n)
