"""The plot of retention against gap: what is left of a view so many frames after it was last seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.analysis.retention_curve import HALF, GapCurve
from magbench.render.theme import GREY, Look, dress, label_ends, looks, new_figure, save
from magbench.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOWEST, HIGHEST = -0.35, 1.15
"""What is drawn: a model far worse than another scene leaves the axes below."""


def retention_against_gap(curves: Sequence[GapCurve], table: Table, path: Path, *, window: int) -> None:
    """Mean retention with its band for every model, half-lives in the names; no file where there is no curve."""
    path.unlink(missing_ok=True)
    shown = [curve for curve in curves if curve.model in table.models]
    if not shown:
        return
    figure = new_figure(9.6, 5.6)
    axes = figure.subplots()
    style = looks(table.models)
    last = max(point.gap for curve in shown for point in curve.points)
    axes.axhline(HALF, color=GREY, lw=0.9, ls=(0, (4, 3)), zorder=1)
    if window <= last:
        axes.axvline(window, color=GREY, lw=0.9, ls=(0, (1, 2)), zorder=1)
        axes.text(window, HIGHEST - 0.02, " out of window →", fontsize=8, color="#555555", va="top")
    ends = [(_label(curve), _draw(axes, curve, style[curve.model]), style[curve.model].colour) for curve in shown]
    axes.set_ylim(LOWEST, HIGHEST)
    axes.set_xlim(0, 1.03 * last)
    dress(
        axes,
        "What is left of a view after so long",
        f"Retention by {shown[0].metric.upper()}: 1 = the truth through the codec, 0 = another scene; mean over clips,"
        " bands: 95 % interval.\nBars on the dashed line, and numbers beside names: frames after which half is left.",
        "frames since the view was last seen",
        "retention, higher is better",
    )
    label_ends(axes, ends, last)
    save(figure, path)


def _draw(axes: Axes, curve: GapCurve, look: Look) -> float:
    """The curve, its band, and its half-life as a mark on the dashed line; gives the last value."""
    x, y = [point.gap for point in curve.points], [point.retained.mean for point in curve.points]
    banded = [p for p in curve.points if p.retained.low is not None and p.retained.high is not None]
    axes.fill_between(
        [p.gap for p in banded],
        [p.retained.low for p in banded if p.retained.low is not None],
        [p.retained.high for p in banded if p.retained.high is not None],
        color=look.colour,
        alpha=0.13,
        lw=0,
    )
    axes.plot(x, y, color=look.colour, lw=2, marker=look.marker, ms=5, zorder=3)
    life = curve.half_life
    if math.isfinite(life.gap):
        axes.plot([life.gap], [HALF], color=look.colour, marker="|", ms=16, mew=2.4, zorder=4)
        if life.low is not None and life.high is not None:
            low, high = max(life.low, life.shortest), min(life.high, life.longest)
            axes.hlines(HALF, low, high, color=look.colour, lw=4, alpha=0.45, zorder=2)
    return y[-1]


def _label(curve: GapCurve) -> str:
    """The name and the half-life; its band is in the plot and in table.md."""
    life = curve.half_life
    return f"{curve.model}  {replace(life, low=None, high=None)}"
