"""The official MAG-Bench match: each generated frame against the true frame nearest to it, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from magbench.metrics.frame.psnr import CAP, uncapped_psnr
from magbench.metrics.frame.ssim import ssim
from magbench.metrics.matrix import Matrix
from magbench.metrics.pair import Match, Pair, Truth, Values

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class LegacyScores:
    """The official free match of one return of n frames.

    Attributes:
        match: (n,) int64, the true frame nearest by LPIPS (the first of equals), in any order, repeatedly.
        psnr: mean over the matches in dB, not capped; 100 where the official mean is infinite.
        ssim, lpips: mean over the matches.
        per_frame: metric -> (n,) values of the matches; PSNR of a frame without any error stands as 100.
    """

    match: Match
    psnr: float
    ssim: float
    lpips: float
    per_frame: dict[str, Values]


def legacy(gen: Tensor, truth: Tensor, *, truth_dtype: torch.dtype | None = None) -> LegacyScores:
    """The official MAG-Bench scores, to rounding. Both (n, 3, H, W), uint8 or float32 in [0, 1].

    The official script holds the ground truth in [-1, 1] and, as released, in bfloat16, which is up to half a
    grey level off. `truth_dtype` is that type (None: float32). The way to [-1, 1] and back is repeated here, so an
    exact frame has about 165 dB in float32 and 60 dB in bfloat16.
    """
    pair = Pair(gen, Truth(truth))
    return legacy_of(pair) if truth_dtype is None else legacy_rounded(pair, truth_dtype)


def legacy_of(pair: Pair) -> LegacyScores:
    """The free match of a pair, with the truth in float32: SSIM and LPIPS are shared with the other protocols."""
    import torch

    distance = pair.distances
    match = distance.argmin(axis=1)
    return _scores(distance, match, pair.each(partial(_psnr, dtype=torch.float32), match), pair.ssim(match))


def legacy_rounded(pair: Pair, dtype: torch.dtype) -> LegacyScores:
    """The free match of a pair, with the truth rounded to ``dtype`` first; nothing is shared."""
    truth = pair.truth.video.part(slice(None))
    distance = Pair(pair.gen.frames, Truth(((truth * 2 - 1).to(dtype).float() + 1) / 2)).distances
    match = distance.argmin(axis=1)
    decibels = pair.each(partial(_psnr, dtype=dtype), match)
    return _scores(distance, match, decibels, pair.each(lambda g, t: ssim(g, _official(t, dtype)), match))


def official_mean(decibels: Values) -> float:
    """Mean in dB; 100 for the whole return if it holds a frame without any error, which stands as 100 itself."""
    return CAP if (decibels == CAP).any() else float(decibels.mean())


def _official(truth: Tensor, dtype: torch.dtype) -> Tensor:
    """Float32 in [0, 1]: the truth as the official PSNR and SSIM see it."""
    return (((truth * 2 - 1).to(dtype) + 1) / 2).float()


def _psnr(gen: Tensor, truth: Tensor, *, dtype: torch.dtype) -> Values:
    return uncapped_psnr(gen, _official(truth, dtype))


def _scores(distance: Matrix, match: Match, decibels: Values, similarity: Values) -> LegacyScores:
    nearest = distance.min(axis=1)
    shown = np.where(np.isinf(decibels), CAP, decibels)
    return LegacyScores(
        match=match,
        psnr=official_mean(shown),
        ssim=float(similarity.mean()),
        lpips=float(nearest.mean()),
        per_frame={"psnr": shown, "ssim": similarity, "lpips": nearest},
    )
