"""What the frame metrics mean on a return: which ground-truth frame each generated frame is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from magbench.metrics.frames import check_pair
from magbench.metrics.lpips import lpips, lpips_matrix
from magbench.metrics.psnr import CAP, psnr, uncapped_psnr
from magbench.metrics.ssim import ssim

PerFrame = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class FrameMetric:
    """A number for one generated frame against one ground-truth frame."""

    name: str
    version: int  # raised whenever a value may change
    unit: str  # "" if it has none
    better: str  # "higher" or "lower"
    function: Callable[[Tensor, Tensor], NDArray[np.float64]]  # two (n, 3, H, W) in [0, 1] -> (n,)


OFFICIAL = (
    FrameMetric("psnr", 1, "dB", "higher", psnr),
    FrameMetric("ssim", 1, "", "higher", ssim),
    FrameMetric("lpips", 1, "", "lower", lpips),
)
METRICS = (*OFFICIAL,)
"""Every metric; a new one is a line here."""


@dataclass(frozen=True)
class ScoringProtocol:
    """A way to score a return: a value of every metric for every generated frame; a score is their mean."""

    name: str
    version: int  # raised whenever a value may change
    summary: str
    metrics: tuple[FrameMetric, ...]
    score: Callable[[Tensor, Tensor], PerFrame]
    """(generated, true return), both (n, 3, H, W) float32 in [0, 1] -> name of metric -> (n,), generated order."""


@dataclass(frozen=True)
class LegacyScores:
    """The official free match of one return of n frames.

    Attributes:
        match: (n,) int64, the true frame nearest by LPIPS (the first of equals), in any order, repeatedly.
        psnr: mean over the matches in dB, not capped; 100 where the official mean is infinite.
        ssim, lpips: mean over the matches.
        per_frame: metric -> (n,) values of the matches; PSNR of a frame without any error stands as 100.
    """

    match: NDArray[np.int64]
    psnr: float
    ssim: float
    lpips: float
    per_frame: PerFrame


def aligned(gen: Tensor, truth: Tensor) -> PerFrame:
    """metric -> (n,): frame i against frame i, for models that follow the camera; arguments as `legacy`."""
    return {metric.name: metric.function(gen, truth) for metric in METRICS}


def legacy(gen: Tensor, truth: Tensor, *, truth_dtype: torch.dtype = torch.float32) -> LegacyScores:
    """The official MAG-Bench scores, to rounding. Both (n, 3, H, W) float32 in [0, 1].

    The official script holds the ground truth in [-1, 1] and, as released, in bfloat16, which is up to half a
    grey level off. `truth_dtype` is that type; float32 leaves the truth as it is. The way to [-1, 1] and back
    is repeated here, so an exact frame has about 165 dB in float32 and 60 dB in bfloat16.
    """
    check_pair(gen, truth)
    official = (truth * 2 - 1).to(truth_dtype)
    distance = lpips_matrix(gen, (official.float() + 1) / 2)
    match = distance.argmin(axis=1)
    matched = ((official + 1) / 2).float()[torch.from_numpy(match)]
    decibels = uncapped_psnr(gen, matched)
    similarity = ssim(gen, matched)
    nearest = distance.min(axis=1)
    return LegacyScores(
        match=match,
        psnr=float(decibels.mean()) if np.isfinite(decibels).all() else CAP,
        ssim=float(similarity.mean()),
        lpips=float(nearest.mean()),
        per_frame={"psnr": np.where(np.isinf(decibels), CAP, decibels), "ssim": similarity, "lpips": nearest},
    )


def _legacy(gen: Tensor, truth: Tensor) -> PerFrame:
    return legacy(gen, truth).per_frame


def _legacy_bf16(gen: Tensor, truth: Tensor) -> PerFrame:
    return legacy(gen, truth, truth_dtype=torch.bfloat16).per_frame


ALIGNED = ScoringProtocol("aligned", 1, "frame i against frame i of the true return", METRICS, aligned)
LEGACY = ScoringProtocol("legacy", 1, "official free match: each frame against its nearest by LPIPS", OFFICIAL, _legacy)
LEGACY_BF16 = ScoringProtocol("legacy_bf16", 1, "legacy with the truth rounded to bfloat16", OFFICIAL, _legacy_bf16)

PROTOCOLS: Mapping[str, ScoringProtocol] = MappingProxyType({p.name: p for p in (ALIGNED, LEGACY)})
"""What a run scores. `LEGACY_BF16` differs in the fourth digit and costs as much again: it stands apart."""
