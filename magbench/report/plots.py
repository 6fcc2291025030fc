"""Two plots of a run: what is left of the scene along the return, and what remembering costs in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from magbench.analysis.retention import CEILINGS
from magbench.render.grid import human_bytes
from magbench.render.labels import EndLabel, PointLabel, label_ends, label_points, room_for
from magbench.render.theme import (
    AXIS,
    BAND,
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
from magbench.report.columns import HISTORY
from magbench.report.grids import main_rows
from magbench.report.tables import Row, Table
from magbench.runs.records import Record
from magbench.stats import Interval, bootstrap_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STRETCH = 0.5
"""By this share of the models' range the oracle and the codec may stretch an axis, which no model can pass; the best
of the other references is cut where it leaves the axis."""


def fitted(models: Sequence[float], ceilings: Sequence[float], least: float) -> tuple[float, float]:
    """Limits of an axis: those of the models, with every ceiling that is close enough, and a margin.

    models: what must be inside; not empty.
    least: the smallest range that is drawn, so that one model's rounding does not fill the axis.
    """
    low, high = min(models), max(models)
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    reach = STRETCH * (high - low)
    near = [value for value in ceilings if low - reach <= value <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


@dataclass(frozen=True)
class _Curve:
    """A row's mean over clips at each frame of the return, with an interval where several clips give one."""

    row: Row
    points: tuple[Interval, ...]

    @property
    def mean(self) -> list[float]:
        return [point.mean for point in self.points]

    @property
    def band(self) -> tuple[list[float], list[float]] | None:
        low = [point.low for point in self.points if point.low is not None]
        high = [point.high for point in self.points if point.high is not None]
        return (low, high) if len(low) == len(high) == len(self.points) else None


def score_along_return(records: Sequence[Record], table: Table, path: Path, *, window: int, fps: int) -> None:
    """Draw aligned PSNR at each frame of the return; a strip says how many clips are out of window.

    No file is left where nothing was scored frame by frame.
    """
    chosen = [record for record in records if is_along(record)]
    curves = []
    for row in main_rows(table):
        columns = _by_position([r for r in chosen if r.model == row.model])
        if columns:
            curves.append(_Curve(row, tuple(bootstrap_mean(column) for column in columns)))
    if not curves:
        remove(path)
        return
    gaps = {record.clip: record.gap for record in chosen if record.gap is not None}
    save(lambda theme: _along_return(theme, curves, list(gaps.values()), looks(table.models), window, fps), path)


def is_along(record: Record) -> bool:
    """Whether a record holds the score of each frame: all that :func:`score_along_return` looks at."""
    return (record.protocol, record.metric, record.region) == ("aligned", "psnr", "all")


def _along_return(
    theme: Theme, curves: Sequence[_Curve], gaps: Sequence[Sequence[int]], style: dict[str, Look], window: int, fps: int
) -> Figure:
    models = [curve for curve in curves if curve.row.is_model]
    size = room_for([curve.row.title for curve in curves], 9.0, 5.8)
    figure = new_figure(theme, *size)
    axes, strip = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [9, 1]})
    inside = [value for curve in models for part in (curve.mean, *(curve.band or ())) for value in part]
    ceilings = [value for c in curves if c.row.model in CEILINGS for value in (min(c.mean), max(c.mean))]
    low, high = fitted(inside or [value for curve in curves for value in curve.mean], ceilings, 2.0)
    axes.set_ylim(low, high)
    ends, hidden = [], []
    for i, curve in enumerate(curves):
        if curve.row.is_model:
            colour = theme.colour(style[curve.row.model])
            _draw_curve(axes, curve, colour, style[curve.row.model].marker, i)
            ends.append(EndLabel(curve.row.title, curve.mean[-1], colour))
        elif any(low <= value <= high for value in curve.mean):
            axes.plot(range(1, len(curve.mean) + 1), curve.mean, color=theme.reference, lw=1.3, ls="--", zorder=1)
            ends.append(EndLabel(curve.row.model, curve.mean[-1], theme.reference, quiet=True))
        else:
            hidden.append(curve)
    notes = ["Aligned PSNR, mean over clips"]
    notes += ["bands: 95 % interval"] * any(curve.band for curve in models)
    notes += ["dashed: references"] * any(end.quiet for end in ends)
    if hidden:
        notes.append(
            "off the axis: " + ", ".join(f"{curve.row.model} ({fmean(curve.mean):.0f} dB)" for curve in hidden)
        )
    dress(
        axes,
        theme,
        "What is left of the scene, frame by frame of the return",
        "; ".join(notes),
        "",
        "PSNR (dB), higher is better",
    )
    length = max([len(curve.points) for curve in curves])
    _strip(strip, theme, gaps, window, length)
    step = max(1, fps // 4) * -(-length // (16 * max(1, fps // 4)))  # at most 16 ticks, quarters of a second
    strip.set_xlim(0.4, length + 0.6)
    strip.set_xticks([1, *range(step, length + 1, step)] if step > 1 else range(1, length + 1))
    strip.set_xlabel(f"frame of the return ({fps} frames = 1 s)", fontsize=AXIS, color=theme.ink)
    label_ends(axes, ends, length)
    return figure


def _by_position(records: Iterable[Record]) -> list[list[float]]:
    """For each frame of the return one value a clip, samples of a clip averaged."""
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for i, value in enumerate(record.per_frame or ()):
            found[i][record.clip].append(value)
    return [[fmean(values) for values in found[i].values()] for i in sorted(found)]


def _draw_curve(axes: Axes, curve: _Curve, colour: str, marker: str, order: int) -> None:
    """A model's mean and its band; markers on every third frame, at other frames for the next model."""
    x = range(1, len(curve.points) + 1)
    if curve.band:
        axes.fill_between(x, *curve.band, color=colour, alpha=BAND, lw=0)
    every = (order % 3, 3) if len(x) > 8 else (0, 1)
    axes.plot(x, curve.mean, color=colour, lw=LINE, marker=marker, ms=6, markevery=every, zorder=3)


def _strip(axes: Axes, theme: Theme, gaps: Sequence[Sequence[int]], window: int, length: int) -> None:
    """The share of clips whose view was last seen ``window`` or more frames ago, a bar a frame."""
    found = {i: [gap[i] >= window for gap in gaps if i < len(gap)] for i in range(length)}
    shares = {i + 1: fmean(far) for i, far in found.items() if far}
    axes.bar(list(shares), list(shares.values()), width=0.86, color=theme.fill)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0", "100 %"])
    title = f"clips whose view was last seen {window} or more frames before: out of window"
    axes.set_title(title, loc="left", fontsize=SMALL, color=theme.quiet, pad=4)
    dress_frame(axes, theme, ("bottom",))


@dataclass(frozen=True)
class _Score:
    """The primary score of a model or reference with its interval, and the history it holds (None: unknown)."""

    row: Row
    mean: float
    low: float
    high: float
    held: float | None


def consistency_against_memory(table: Table, path: Path) -> None:
    """Draw the primary score against the history held at the end of a clip; no file where no model's is known."""
    scores = []
    for row in main_rows(table):
        mean, low, high = row.primary.mean, row.primary.low, row.primary.high
        if mean is not None:
            held = row.cell(HISTORY).mean if row.is_model else None
            scores.append(_Score(row, mean, mean if low is None else low, mean if high is None else high, held))
    if all(score.held is None for score in scores):
        remove(path)
        return
    save(lambda theme: _against_memory(theme, scores, looks(table.models)), path)


def _against_memory(theme: Theme, scores: Sequence[_Score], style: dict[str, Look]) -> Figure:
    models = [score for score in scores if score.row.is_model]
    lines = [score for score in scores if score.held is None]
    figure = new_figure(theme, *room_for([score.row.title for score in lines], 9.0, max(5.6, 2.5 + 0.3 * len(models))))
    axes = figure.subplots()
    most = max(score.held for score in scores if score.held is not None) or 1.0
    inside = [value for score in models for value in (score.low, score.high)]
    low, high = fitted(inside, [score.mean for score in scores if score.row.model in CEILINGS], 0.1)
    axes.set_ylim(low, high)
    axes.set_xlim(0, 1.06 * most)
    axes.xaxis.set_major_formatter(lambda value, _: human_bytes(value) if value else "0")
    ends = []
    for score in lines:
        colour = theme.colour(style[score.row.model]) if score.row.is_model else theme.reference
        if low <= score.mean <= high:
            axes.axhline(score.mean, color=colour, lw=1.3, ls="--", zorder=1)
            ends.append(EndLabel(score.row.title, score.mean, colour, quiet=not score.row.is_model))
    points = []
    for score in models:
        if score.held is not None:
            colour = theme.colour(style[score.row.model])
            _draw_point(axes, theme, score, score.held, colour, style[score.row.model].marker)
            text = f"{score.row.title}  {human_bytes(score.held)}"
            points.append(PointLabel(text, score.held, score.mean, score.low, score.high, colour))
    unknown = any(score.row.is_model for score in lines)
    drawn = ["models that do not tell their history"] * unknown + ["references"] * any(end.quiet for end in ends)
    notes = ["Ordered score out of window, mean over clips"]
    notes += ["bars: 95 % interval"] * any(score.low < score.high for score in models)
    notes += [f"dashed: {', '.join(drawn)}"] * bool(drawn)
    dress(
        axes,
        theme,
        "What remembering costs in memory",
        "; ".join(notes),
        "history held at the end of a clip",
        "ordered score, higher is better",
    )
    label_ends(axes, ends, 1.06 * most)
    label_points(axes, points, [score.mean for score in lines])
    return figure


def _draw_point(axes: Axes, theme: Theme, score: _Score, held: float, colour: str, marker: str) -> None:
    """A hollow marker, so that a short interval is visible inside it, and the interval."""
    axes.plot([held], [score.mean], color=colour, marker=marker, ms=9, mfc=theme.ground, mew=2.0, zorder=3)
    if score.low < score.high:
        ends = [[score.mean - score.low], [score.high - score.mean]]
        axes.errorbar([held], [score.mean], ends, color=colour, lw=2.0, capsize=8, capthick=2.0, zorder=4)
