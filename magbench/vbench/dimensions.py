"""The dimensions of VBench that any video can have, without one of VBench's own prompts.

Source: Huang et al., "VBench" (2023); the released program, github.com/Vchitect/VBench, in its mode `custom_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Dimension:
    """One score of a video, more is better. ``whole``: what VBench writes for a perfect video."""

    name: str
    version: int  # raised whenever what is handed over, or how it is read, changes
    summary: str
    whole: float = 1.0


DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        dimension.name: dimension
        for dimension in (
            Dimension("subject_consistency", 1, "DINO features of each frame against the first and the one before"),
            Dimension("background_consistency", 1, "the same with CLIP features"),
            Dimension("temporal_flickering", 1, "mean absolute difference of successive frames"),
            Dimension("motion_smoothness", 1, "every other frame against AMT's interpolation"),
            Dimension("dynamic_degree", 1, "whether RAFT sees large motion: 0 or 1"),
            Dimension("aesthetic_quality", 1, "LAION's aesthetic predictor"),
            Dimension("imaging_quality", 1, "MUSIQ", whole=100.0),  # its mean over videos alone is divided by 100
        )
    }
)
