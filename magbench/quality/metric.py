"""What a quality metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.spec import ScoreSpec
from magbench.quality.footage import Footage, Given


@dataclass(frozen=True, kw_only=True)
class QualityMetric(ScoreSpec):
    """One number for one return, made from its frames and the frames that were given.

    Attributes:
        needs: the one reason for which the value is None.
        of: footage -> value.
    """

    protocol: str = "quality"
    needs: str
    of: Callable[[Footage], float | None]

    def function(self, frames: NDArray[np.uint8], context: NDArray[np.uint8]) -> float | None:
        """The value for a return (T, H, W, 3) uint8 after ``context`` (C, H, W, 3) uint8; None: not available.

        For all metrics of a return use :func:`magbench.quality.measure`, which does shared work once.
        """
        return self.of(Footage(frames, Given(context)))
