"""Scores of generated frames: PSNR, SSIM and LPIPS of single frames, and protocols that score a return."""

from magbench.metrics.protocols import (
    ALIGNED,
    LEGACY,
    LEGACY_BF16,
    METRICS,
    PROTOCOLS,
    FrameMetric,
    LegacyScores,
    ScoringProtocol,
    aligned,
    legacy,
)

__all__ = [
    "ALIGNED",
    "LEGACY",
    "LEGACY_BF16",
    "METRICS",
    "PROTOCOLS",
    "FrameMetric",
    "LegacyScores",
    "ScoringProtocol",
    "aligned",
    "legacy",
]
