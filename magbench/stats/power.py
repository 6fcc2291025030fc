"""The smallest difference between two models that so many clips can show."""

from __future__ import annotations

import math

from magbench.stats.paired import ALPHA, LEAST_CLIPS
from magbench.stats.student import t_quantile

POWER = 0.8


def detectable(clips: int, spread: float, *, comparisons: int = 1) -> float | None:
    """The true mean difference that a paired test finds with probability `POWER` at level `ALPHA`, two-sided.

    clips: n; None below `LEAST_CLIPS`.
    spread: standard deviation of the per-clip differences of two models, in any unit.
    comparisons: tests in the table; Holm's strictest step divides ALPHA by it.
    """
    if clips < LEAST_CLIPS:
        return None
    noise = spread / math.sqrt(clips)
    return (t_quantile(1 - ALPHA / comparisons / 2, clips - 1) + t_quantile(POWER, clips - 1)) * noise
