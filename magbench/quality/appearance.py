"""Does the return still look like the given frames: as sharp, as bright, of the same colours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.detail import greys, laplacian_variance
from magbench.quality.footage import Footage

MIN_SIDE = 3
"""Least height and width that have an inner pixel."""

LAST = 4
"""Drift is read off the last 1/4 of the return."""


def sharpness(footage: Footage) -> float | None:
    """Detail of the return against that of the given frames: the ratio or its inverse, whichever is below 1.

    None for frames of less than ``MIN_SIDE`` pixels a side, and where the given frames have no detail.

    Detail is the median over frames of the variance of the luma's Laplacian (Pech-Pacheco et al., 2000). Both a
    blurred and a noisy return are below 1.
    """
    if footage.given.frames.shape[0] == 0 or min(footage.frames.shape[1:3]) < MIN_SIDE:
        return None
    detail = float(np.median(laplacian_variance(greys(footage.frames))))
    before = float(np.median(footage.given.detail))
    if before == 0:
        return None
    return min(detail / before, before / detail) if detail else 0.0


def brightness_drift(footage: Footage) -> float | None:
    """How far the mean lightness has left what the given frames showed, at the end; L*, 0 to 100."""
    return _drift(footage.colour[:, :1], footage.given.colour[:, :1])


def colour_drift(footage: Footage) -> float | None:
    """How far the mean colour, lightness apart, has left what the given frames showed, at the end; a*b*."""
    return _drift(footage.colour[:, 1:], footage.given.colour[:, 1:])


def _drift(values: NDArray[np.float64], given: NDArray[np.float64]) -> float | None:
    """Mean over the last frames of the distance to the nearest given frame; (T, K) and (C, K)."""
    if len(given) == 0:
        return None
    last = values[-math.ceil(len(values) / LAST) :]
    return float(np.linalg.norm(last[:, None] - given, axis=2).min(axis=1).mean())
