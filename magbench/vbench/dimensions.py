"""The dimensions of VBench that any video can have, without one of VBench's own prompts.

Source: Huang et al., "VBench" (2023); the released program, github.com/Vchitect/VBench, in its mode `custom_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from magbench.metrics.spec import Better, ScoreSpec


@dataclass(frozen=True, kw_only=True)
class Dimension(ScoreSpec):
    """One score of a video. ``whole``: what VBench writes for a perfect video."""

    protocol: str = "vbench"
    better: Better = "higher"
    whole: float = 1.0


DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        dimension.name: dimension
        for dimension in (
            Dimension(
                name="subject_consistency",
                version=1,
                about="DINO features of each frame against the first and the one before",
            ),
            Dimension(name="background_consistency", version=1, about="the same with CLIP features"),
            Dimension(name="temporal_flickering", version=1, about="mean absolute difference of successive frames"),
            Dimension(name="motion_smoothness", version=1, about="every other frame against AMT's interpolation"),
            Dimension(name="dynamic_degree", version=1, about="whether RAFT sees large motion: 0 or 1"),
            Dimension(name="aesthetic_quality", version=1, about="LAION's aesthetic predictor"),
            Dimension(
                name="imaging_quality", version=1, about="MUSIQ", whole=100.0
            ),  # its mean over videos alone is divided by 100
        )
    }
)
