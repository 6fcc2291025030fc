"""What a quality metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from magbench.quality.footage import Footage


@dataclass(frozen=True)
class QualityMetric:
    """One number for one return, made from its frames and the frames that were given."""

    name: str
    version: int  # raised whenever a value may change
    unit: str  # "" if it has none
    better: Literal["higher", "lower"]
    summary: str
    needs: str  # the one reason for which the value is None
    of: Callable[[Footage], float | None]

    def function(self, frames: NDArray[np.uint8], context: NDArray[np.uint8]) -> float | None:
        """The value for a return (T, H, W, 3) uint8 after ``context`` (C, H, W, 3) uint8; None: not available.

        For all metrics of a return use :func:`magbench.quality.measure`, which does shared work once.
        """
        return self.of(Footage(frames, context))
