"""How much successive frames differ: VBench's flicker, and frames that only repeat the one before."""

from __future__ import annotations

from magbench.quality.footage import Footage

SAME = 0.5
"""Mean absolute difference, in grey levels, up to which a frame repeats the one before: less than rounding."""


def temporal_flickering(footage: Footage) -> float | None:
    """VBench's temporal flickering: (255 - d) / 255, d the mean absolute difference of successive frames; 0 to 1.

    Source: Huang et al., "VBench" (2023), and vbench/temporal_flickering.py of its released code, which reads the
    video with OpenCV. There it is asked of still scenes only; here the camera moves, and a frozen frame has 1.
    """
    if footage.frames.shape[0] < 2:
        return None
    return (255 - float(footage.differences.mean())) / 255


def repetition(footage: Footage) -> float | None:
    """Share of the frames, from the second on, that repeat the frame before; 1 is one frozen frame."""
    if footage.frames.shape[0] < 2:
        return None
    return float((footage.differences <= SAME).mean())
