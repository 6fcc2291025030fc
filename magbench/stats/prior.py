"""How far per-clip differences of two models spread, suite by suite: known before a run, from published ones.

Standard deviation over clips of A - B, one sample a clip: the median over all pairs of full_history, mag, strided,
window and window_sink. Two models that are alike spread less, so what is said of them is on the safe side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from magbench.stats.paired import LEAST_CLIPS
from magbench.stats.power import detectable


@dataclass(frozen=True)
class Prior:
    """Spread of the ordered score and of aligned PSNR in dB, both out of window; ``source``: where they were seen."""

    score: float
    psnr: float
    source: str


PRIORS: Mapping[str, Prior] = MappingProxyType({"revisit-nano": Prior(0.13, 1.7, "revisit-nano v1, 42 clips")})
ELSEWHERE = Prior(0.13, 1.7, "another suite, revisit-nano v1: a guess")
"""For suites that have no published run yet."""


def detectable_line(suite: str, clips: int) -> str:
    """What a run of so many clips can show, on one line, before it is run."""
    prior = PRIORS.get(suite, ELSEWHERE)
    score, psnr = detectable(clips, prior.score), detectable(clips, prior.psnr)
    if score is None or psnr is None:
        return f"{clips} clip{'s' * (clips > 1)}: no two models can be told apart; {LEAST_CLIPS} clips are the least"
    return (
        f"{clips} clips: two models that truly differ by {score:.3f} in ordered score, or {psnr:.2g} dB in aligned"
        f" PSNR, are told apart in four cases of five (alpha 0.05, one pair; spread as in {prior.source})"
    )
