"""Every quality metric; a new one is a line here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.quality.appearance import brightness_drift, colour_drift, sharpness
from magbench.quality.flicker import repetition, temporal_flickering
from magbench.quality.flow import EXPLAINED, MIN_SIDE
from magbench.quality.footage import PACE_FRAMES, Footage
from magbench.quality.metric import QualityMetric
from magbench.quality.motion import STILL, motion, motion_match, motion_share, motion_smoothness

_PAIR = "2 frames"
_FLOW = f"2 frames of {MIN_SIDE} pixels a side, and optical flow that explains {EXPLAINED:.0%} of their difference"
_CONTEXT = "given frames"

QUALITY: tuple[QualityMetric, ...] = (
    QualityMetric(
        "temporal_flickering", 1, "", "higher", "VBench's flicker: 1 is no change", _PAIR, temporal_flickering
    ),
    QualityMetric("repetition", 1, "", "lower", "share of frames that repeat the one before", _PAIR, repetition),
    QualityMetric("motion", 1, "px/frame", "higher", "mean length of the optical flow", _FLOW, motion),
    QualityMetric(
        "motion_share", 1, "diag/frame", "higher", "the same, in diagonals of the frame", _FLOW, motion_share
    ),
    QualityMetric(
        "motion_match",
        1,
        "",
        "higher",
        f"as fast as the last {PACE_FRAMES} given frames: 1",
        f"{_FLOW}; given frames for which this holds, and that move by {STILL} px/frame",
        motion_match,
    ),
    QualityMetric(
        "motion_smoothness",
        1,
        "",
        "higher",
        "even motion: 1, stop and go: 0",
        f"{_FLOW}; a third frame, and {STILL} px/frame",
        motion_smoothness,
    ),
    QualityMetric(
        "sharpness",
        1,
        "",
        "higher",
        "as much detail as the given frames: 1",
        f"{_CONTEXT} with detail, 3 pixels a side",
        sharpness,
    ),
    QualityMetric(
        "brightness_drift",
        1,
        "L*",
        "lower",
        "lightness at the end against the given frames",
        _CONTEXT,
        brightness_drift,
    ),
    QualityMetric(
        "colour_drift", 1, "a*b*", "lower", "colour at the end against the given frames", _CONTEXT, colour_drift
    ),
)


def measure(frames: NDArray[np.uint8], context: NDArray[np.uint8]) -> dict[str, float | None]:
    """Name -> value of every metric for one return (T, H, W, 3) uint8; None where it is not available.

    Args:
        context: (C, H, W, 3) uint8, the frames that were given.
    """
    footage = Footage(frames, context)
    return {metric.name: metric.of(footage) for metric in QUALITY}
