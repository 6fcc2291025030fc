"""What the frame metrics mean on a return: which true frame each generated frame is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from magbench.metrics.frames import check_pair
from magbench.metrics.legacy import legacy_of, legacy_rounded, official_mean
from magbench.metrics.lpips import lpips
from magbench.metrics.ordered import OrderedScores, ordered_of
from magbench.metrics.pair import Pair, Truth, Values
from magbench.metrics.psnr import psnr
from magbench.metrics.ssim import ssim

PerFrame = Mapping[str, Values | None]
"""Metric -> (n,) values; None where this clip cannot have them."""


def mean(values: Values) -> float:
    """Of (n > 0,) values."""
    return float(values.mean())


@dataclass(frozen=True)
class Metric:
    """A number for each frame of a return; a score is their average."""

    name: str
    version: int  # raised whenever a value may change
    unit: str  # "" if it has none
    better: str  # "higher" or "lower"
    average: Callable[[Values], float] = field(default=mean, kw_only=True)


@dataclass(frozen=True)
class FrameMetric(Metric):
    """A number for one generated frame against one true frame.

    Attributes:
        function: two (n, 3, H, W) float32 in [0, 1] -> (n,).
        shared: the same numbers, from what a pair has computed for other protocols as well.
    """

    function: Callable[[Tensor, Tensor], Values]
    shared: Callable[[Pair], Values] | None = None

    def of_pair(self, pair: Pair) -> Values:
        """(n,) values of frame i against frame i."""
        return pair.each(self.function, np.arange(len(pair))) if self.shared is None else self.shared(pair)


PSNR = FrameMetric("psnr", 1, "dB", "higher", psnr)
SSIM = FrameMetric("ssim", 1, "", "higher", ssim, lambda pair: pair.ssim(np.arange(len(pair))))
LPIPS = FrameMetric("lpips", 2, "", "lower", lpips, lambda pair: pair.lpips)

METRICS: tuple[FrameMetric, ...] = (PSNR, SSIM, LPIPS)
"""Every metric of two frames; a new one is a line here."""

ORDERED_METRICS = (
    Metric("score", 1, "", "higher"),
    Metric("coverage", 1, "", "higher"),
    Metric("lpips", 1, "", "lower"),
)


@dataclass(frozen=True)
class ScoringProtocol:
    """A way to score a return."""

    name: str
    version: int  # raised whenever a value may change
    summary: str
    metrics: tuple[Metric, ...]
    score: Callable[[Pair], PerFrame]
    """Every metric's (n,) values: by true frame in `ordered`, by generated frame in the others."""


def aligned(gen: Tensor, truth: Tensor) -> dict[str, Values]:
    """metric -> (n,): frame i against frame i, for models that follow the camera.

    Both (n, 3, H, W) float32 in [0, 1].
    """
    check_pair(gen, truth)
    return {metric.name: metric.function(gen, truth) for metric in METRICS}


def ordered(gen: Tensor, truth: Tensor) -> OrderedScores | None:
    """The order-preserving match, see :func:`magbench.metrics.ordered.ordered`; None if the truth has no range.

    Both (n, 3, H, W), uint8 or float32 in [0, 1].
    """
    return ordered_of(Pair(gen, Truth(truth)))


def _aligned(pair: Pair) -> PerFrame:
    return {metric.name: metric.of_pair(pair) for metric in METRICS}


def _legacy(pair: Pair) -> PerFrame:
    return legacy_of(pair).per_frame


def _legacy_bf16(pair: Pair) -> PerFrame:
    return legacy_rounded(pair, torch.bfloat16).per_frame


def _ordered(pair: Pair) -> PerFrame:
    found = ordered_of(pair)
    if found is None:
        return dict.fromkeys(metric.name for metric in ORDERED_METRICS)
    return {"score": found.score, "coverage": found.coverage, "lpips": found.lpips}


ORDERED = ScoringProtocol(
    "ordered", 1, "order-preserving match at half to twice the speed, with coverage", ORDERED_METRICS, _ordered
)
ALIGNED = ScoringProtocol("aligned", 1, "frame i against frame i of the true return", METRICS, _aligned)
LEGACY_METRICS = (replace(PSNR, average=official_mean), SSIM, LPIPS)
LEGACY = ScoringProtocol(
    "legacy", 2, "official free match: each frame against its nearest by LPIPS", LEGACY_METRICS, _legacy
)
LEGACY_BF16 = ScoringProtocol(
    "legacy_bf16", 2, "legacy with the truth rounded to bfloat16", LEGACY_METRICS, _legacy_bf16
)

PROTOCOLS: Mapping[str, ScoringProtocol] = MappingProxyType({p.name: p for p in (ORDERED, ALIGNED, LEGACY)})
"""What a run scores. `LEGACY_BF16` differs in the fourth digit and costs as much again: it stands apart."""
