"""The plot of retention against gap: what is left of a view so many frames after it was last seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.analysis.retention_curve import HALF, GapCurve
from magbench.render.labels import EndLabel, label_ends, room_for
from magbench.render.theme import (
    AXIS,
    BAND,
    LABEL,
    LINE,
    SMALL,
    Look,
    Theme,
    dress,
    dress_frame,
    looks,
    new_figure,
    remove,
    save,
)
from magbench.report.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST, HIGHEST = -0.35, 1.15
"""The most that is drawn: a model far worse than another scene leaves the axes below."""

ROW = 0.23
"""Height of a row of half-lives in inches."""


def retention_against_gap(curves: Sequence[GapCurve], table: Table, path: Path, *, window: int) -> None:
    """Draw mean retention with its band for every model, and below it the half-lives, longest first.

    No file is left where there is no curve.
    """
    shown = [curve for curve in curves if curve.model in table.models]
    if not shown:
        remove(path)
        return
    shown.sort(key=lambda curve: table.models.index(curve.model))
    save(lambda theme: _draw(theme, shown, looks(table.models), window), path)


def _draw(theme: Theme, curves: Sequence[GapCurve], style: Mapping[str, Look], window: int) -> Figure:
    upper, lower = 4.6, 0.3 + ROW * len(curves)
    figure = new_figure(theme, *room_for([_label(curve) for curve in curves], 9.4, upper + lower + 0.7))
    axes, strip = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [upper, lower]})
    last = max(point.gap for curve in curves for point in curve.points)
    axes.axhline(HALF, color=theme.reference, lw=1.2, ls=(0, (4, 3)), zorder=1)
    for curve in curves:
        _draw_curve(axes, curve, theme.colour(style[curve.model]), style[curve.model].marker)
    axes.set_ylim(*_limits(curves))
    axes.set_xlim(0, 1.03 * last)
    if window <= last:
        for pane in (axes, strip):
            pane.axvline(window, color=theme.reference, lw=1.2, ls=(0, (1, 2)), zorder=1)
        top = axes.get_ylim()[1]
        axes.text(window, top, "  out of window: last seen further back →", fontsize=SMALL, color=theme.quiet, va="top")
    dress(
        axes,
        theme,
        "What is left of a view after so long",
        f"Retention by {curves[0].metric.upper()}: 1 = the truth through the codec, 0 = another scene.\n"
        "Mean over clips; bands: 95 % interval; dashed: half is left.",
        "",
        "retention, higher is better",
    )
    _half_lives(strip, theme, sorted(curves, key=lambda curve: -curve.half_life.gap), style)
    strip.set_xlabel("frames since the view was last seen", fontsize=AXIS, color=theme.ink)
    ends = [EndLabel(curve.model, curve.points[-1].retained.mean, theme.colour(style[curve.model])) for curve in curves]
    label_ends(axes, ends, last)
    return figure


def _limits(curves: Sequence[GapCurve]) -> tuple[float, float]:
    """From another scene to the truth, and as far beyond as the curves go, within what is drawn at most."""
    found = [p.retained for curve in curves for p in curve.points]
    low = min([0.0, *(p.mean for p in found), *(p.low for p in found if p.low is not None)])
    high = max([1.0, *(p.mean for p in found), *(p.high for p in found if p.high is not None)])
    return max(LOWEST, low - 0.05), max(1.1, min(HIGHEST, high + 0.05))


def _draw_curve(axes: Axes, curve: GapCurve, colour: str, marker: str) -> None:
    """The curve with its band, where several clips give one."""
    banded = [p for p in curve.points if p.retained.low is not None and p.retained.high is not None]
    axes.fill_between(
        [p.gap for p in banded],
        [p.retained.low for p in banded if p.retained.low is not None],
        [p.retained.high for p in banded if p.retained.high is not None],
        color=colour,
        alpha=BAND,
        lw=0,
    )
    x, y = [point.gap for point in curve.points], [point.retained.mean for point in curve.points]
    axes.plot(x, y, color=colour, lw=LINE, marker=marker, ms=6, zorder=3)


def _half_lives(axes: Axes, theme: Theme, curves: Sequence[GapCurve], style: Mapping[str, Look]) -> None:
    """A row a model: its half-life, or an arrow to where it must lie, with its interval and its name."""
    for row, curve in enumerate(curves):
        life, colour = curve.half_life, theme.colour(style[curve.model])
        start, end = max(life.gap, life.shortest), min(life.gap, life.longest)
        if math.isfinite(life.gap):
            if life.low is not None and life.high is not None:
                low, high = max(life.low, life.shortest), min(life.high, life.longest)
                axes.hlines(row, low, high, color=colour, lw=2.2)
            axes.plot([life.gap], [row], color=colour, marker="|", ms=11, mew=3)
        elif life.gap > 0:
            axes.plot([end], [row], color=colour, marker=">", ms=7, clip_on=False)
        else:
            axes.plot([start], [row], color=colour, marker="<", ms=7, clip_on=False)
        axes.annotate(
            _label(curve),
            xy=(1.03, row),
            xycoords=("axes fraction", "data"),
            color=colour,
            fontsize=LABEL,
            fontweight="bold",
            va="center",
            annotation_clip=False,
        )
    axes.set_ylim(len(curves) - 0.4, -0.6)
    axes.set_yticks([])
    title = "half-life: frames after which half is left; bars: 95 % interval; > : not within the longest gap seen"
    axes.set_title(title, loc="left", fontsize=SMALL, color=theme.quiet, pad=5)
    axes.grid(True, axis="x", color=theme.grid, linewidth=0.8)
    dress_frame(axes, theme, ("bottom",))


def _label(curve: GapCurve) -> str:
    """The name and the half-life; its band is in the plot and in table.md."""
    life = curve.half_life
    return f"{curve.model}  {replace(life, low=None, high=None)}"
