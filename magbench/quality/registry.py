"""Every quality metric; a new one is a line here."""

from __future__ import annotations

from magbench.quality.appearance import brightness_drift, colour_drift, sharpness
from magbench.quality.flicker import repetition, temporal_flickering
from magbench.quality.flow import EXPLAINED, MIN_SIDE
from magbench.quality.footage import PACE_FRAMES, Footage, Given
from magbench.quality.metric import QualityMetric
from magbench.quality.motion import STILL, motion, motion_match, motion_share, motion_smoothness
from magbench.video.frames import FrameSource

_PAIR = "2 frames"
_FLOW = f"2 frames of {MIN_SIDE} pixels a side, and optical flow that explains {EXPLAINED:.0%} of their difference"
_CONTEXT = "given frames"

QUALITY: tuple[QualityMetric, ...] = (
    QualityMetric(
        name="temporal_flickering",
        version=1,
        unit="",
        better="higher",
        about="VBench's flicker: 1 is no change",
        needs=_PAIR,
        of=temporal_flickering,
    ),
    QualityMetric(
        name="repetition",
        version=1,
        unit="",
        better="lower",
        about="share of frames that repeat the one before",
        needs=_PAIR,
        of=repetition,
    ),
    QualityMetric(
        name="motion",
        version=1,
        unit="px/frame",
        better="higher",
        about="mean length of the optical flow",
        needs=_FLOW,
        of=motion,
    ),
    QualityMetric(
        name="motion_share",
        version=1,
        unit="diag/frame",
        better="higher",
        about="the same, in diagonals of the frame",
        needs=_FLOW,
        of=motion_share,
    ),
    QualityMetric(
        name="motion_match",
        version=1,
        unit="",
        better="higher",
        about=f"as fast as the last {PACE_FRAMES} given frames: 1",
        needs=f"{_FLOW}; given frames for which this holds, and that move by {STILL} px/frame",
        of=motion_match,
    ),
    QualityMetric(
        name="motion_smoothness",
        version=1,
        unit="",
        better="higher",
        about="even motion: 1, stop and go: 0",
        needs=f"{_FLOW}; a third frame, and {STILL} px/frame",
        of=motion_smoothness,
    ),
    QualityMetric(
        name="sharpness",
        version=1,
        unit="",
        better="higher",
        about="as much detail as the given frames: 1",
        needs=f"{_CONTEXT} with detail, 3 pixels a side",
        of=sharpness,
    ),
    QualityMetric(
        name="brightness_drift",
        version=1,
        unit="L*",
        better="lower",
        about="lightness at the end against the given frames",
        needs=_CONTEXT,
        of=brightness_drift,
    ),
    QualityMetric(
        name="colour_drift",
        version=1,
        unit="a*b*",
        better="lower",
        about="colour at the end against the given frames",
        needs=_CONTEXT,
        of=colour_drift,
    ),
)


def measure(frames: FrameSource, context: FrameSource) -> dict[str, float | None]:
    """Name -> value of every metric for one return (T, H, W, 3) uint8; None where it is not available.

    Args:
        context: (C, H, W, 3) uint8, the frames that were given.
    """
    return measure_after(frames, Given(context))


def measure_after(frames: FrameSource, given: Given) -> dict[str, float | None]:
    """As :func:`measure`, with what is asked of the given frames done once for all returns that come after them."""
    footage = Footage(frames, given)
    return {metric.name: metric.of(footage) for metric in QUALITY}
