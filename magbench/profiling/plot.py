"""The plot of a profile: what a block costs after histories of many blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from magbench.render.labels import EndLabel, label_ends
from magbench.render.theme import LINE, Look, Theme, dress

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BUSY = " (busy)"
"""Behind a model that was timed while other work had the machine; its line is dotted."""

Curves = Mapping[str, Sequence[tuple[int, float]]]
"""Model -> (blocks of history, seconds a block)."""


def draw_profile(axes: Axes, theme: Theme, profile: Curves, style: Mapping[str, Look]) -> None:
    """Draw seconds per block against synthetic histories; ``profile`` has a model at least."""
    ends = []
    for model, points in profile.items():
        x, y = [blocks for blocks, _ in points], [seconds * 1000 for _, seconds in points]
        colour = theme.colour(style[model])
        line = ":" if model.endswith(BUSY) else "-"
        axes.plot(x, y, color=colour, lw=LINE, ls=line, marker=style[model].marker, ms=6)
        ends.append(EndLabel(model, y[-1], colour))
    axes.set_ylim(bottom=0)
    dress(
        axes,
        theme,
        "What a block costs after a long history",
        "Synthetic history, models timed in turn; median of several blocks",
        "history before the block (blocks)",
        "time per block (ms), lower is better",
    )
    label_ends(axes, ends, max(blocks for points in profile.values() for blocks, _ in points))
