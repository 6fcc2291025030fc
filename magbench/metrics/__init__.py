"""Scores of generated frames: PSNR, SSIM and LPIPS of single frames, and protocols that score a return."""

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
from magbench.metrics.spec import FrameMetric, PerFrameScore, ScoreSpec

__all__ = [
    "ALIGNED",
    "LEGACY",
    "LEGACY_BF16",
    "METRICS",
    "ORDERED",
    "PROTOCOLS",
    "FrameMetric",
    "LegacyScores",
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
