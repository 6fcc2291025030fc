"""Which pixels of a return are scored apart: those whose place was shown, those of them out of window, the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from magbench.metrics.masked import NEW_SCORES, SEEN_SCORES, Mask, Masked, masked
from magbench.metrics.spec import ScoreSpec
from magbench.runs.records import Region
from magbench.suites.clip import Clip

if TYPE_CHECKING:
    from magbench.metrics import Pair


@dataclass(frozen=True)
class Choice:
    """Pixels that are scored together."""

    specs: Sequence[ScoreSpec]
    region: Region


CHOICES = (Choice(SEEN_SCORES, "all"), Choice(SEEN_SCORES, "out_of_window"), Choice(NEW_SCORES, "all"))


def pixel_scores(clip: Clip) -> list[tuple[ScoreSpec, Region]]:
    """The scores, and their regions, that a clip has of this: none where it does not know its pixels' gaps."""
    if "pixel_gap" not in clip.planes:
        return []
    return [(spec, choice.region) for choice in CHOICES for spec in choice.specs]


def score_pixels(pair: Pair, gap: NDArray[np.uint16], window: int) -> list[tuple[Choice, dict[str, Masked]]]:
    """Score each choice of pixels by their gaps (n, H, W), see :class:`magbench.suites.clip.Clip`."""
    seen, far, new = lambda own: own > 0, lambda own: own >= window, lambda own: own == 0
    return list(zip(CHOICES, masked(pair, [_Chosen(gap, test) for test in (seen, far, new)]), strict=True))


@dataclass(frozen=True)
class _Chosen:
    """For each frame (H, W) bool: the pixels whose gap passes a test."""

    gap: NDArray[np.uint16]
    test: Callable[[NDArray[np.uint16]], Mask]

    def __getitem__(self, frame: int) -> Mask:
        return self.test(self.gap[frame])
