"""Scores of generated frames: PSNR, SSIM and LPIPS of single frames, and protocols that score a return."""

from magbench.metrics.spec import FrameMetric, MainColumn, PerFrameScore, ScoreSpec

# isort: split
# Metrics of other packages may import what stands above while they are loaded.
from magbench.metrics.legacy import LegacyScores, legacy
from magbench.metrics.ordered import OrderedScores
from magbench.metrics.pair import Pair, Truth
from magbench.metrics.protocols import (
    ALIGNED,
    LEGACY,
    LEGACY_BF16,
    METRICS,
    ORDERED,
    PROTOCOLS,
    PerFrame,
    ScoringProtocol,
    aligned,
    ordered,
)

__all__ = [
    "ALIGNED",
    "LEGACY",
    "LEGACY_BF16",
    "METRICS",
    "ORDERED",
    "PROTOCOLS",
    "FrameMetric",
    "LegacyScores",
    "MainColumn",
    "PerFrameScore",
    "ScoreSpec",
    "OrderedScores",
    "Pair",
    "PerFrame",
    "ScoringProtocol",
    "Truth",
    "aligned",
    "legacy",
    "ordered",
]
