"""One frame that an explicit memory holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""(H, W, 3) RGB."""
Mask = NDArray[np.bool_]
"""(H, W)."""
Depth = NDArray[np.float32]
"""(H, W), along the camera's axis, in the suite's unit of length; infinite where there is only sky."""


@dataclass(frozen=True, eq=False)
class HeldView:
    """A frame with its camera.

    Attributes:
        pose: (P,) float64, of the camera that shows these pixels.
        known: the pixels that were seen and not made up.
        depth: None where nobody told.
        given: whether it was given; else it was made from others.
    """

    image: Image
    pose: NDArray[np.float64]
    known: Mask
    depth: Depth | None
    given: bool

    @property
    def bytes(self) -> int:
        """Bytes of all that is held; a mask is a bit a pixel."""
        depth = 0 if self.depth is None else self.depth.nbytes
        return self.image.nbytes + self.pose.nbytes + self.known.size // 8 + depth
