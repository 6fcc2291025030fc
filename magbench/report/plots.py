"""Two plots of a run: what is left of the scene along the return, and what remembering costs in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from magbench.render.grid import human_bytes
from magbench.render.theme import GREY, Look, dress, label_ends, looks, new_figure, save, spread
from magbench.report.columns import HISTORY
from magbench.report.tables import Table
from magbench.runs.records import Record
from magbench.stats import bootstrap_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXACT_DB = 99.0
"""A reference above this is the truth itself: named, not drawn, for it would squeeze the other curves."""


def score_along_return(records: Sequence[Record], table: Table, path: Path, *, window: int, fps: int) -> None:
    """Aligned PSNR of each frame of the return; a strip says how many clips are out of window."""
    figure = new_figure(9.0, 5.8)
    axes, strip = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [9, 1]})
    chosen = [r for r in records if (r.protocol, r.metric, r.region) == ("aligned", "psnr", "all")]
    style = looks(table.models)
    ends: list[tuple[str, float, str]] = []
    exact: list[str] = []
    usual: list[float] = []
    highest = 0.0
    for row in reversed(table.rows):
        columns = _by_position([r for r in chosen if r.model == row.model])
        if not columns:
            continue
        mean = [fmean(column) for column in columns]
        if row.is_model:
            _curve(axes, columns, style[row.model])
            ends.append((row.title, mean[-1], style[row.model].colour))
            usual += mean
        elif min(mean) > EXACT_DB:
            exact.append(row.model)
        else:
            axes.plot(range(1, len(mean) + 1), mean, color=GREY, linewidth=0.9, alpha=0.8, zorder=1)
            ends.append((row.model, mean[-1], GREY))
            usual.append(sorted(mean)[int(0.9 * (len(mean) - 1))])
            highest = max(highest, *mean)
    if usual:  # so that a few frames that equal the truth do not set the scale
        margin = 0.06 * (max(usual) - min(usual)) + 1
        axes.set_ylim(min(usual) - margin, max(usual) + margin)
    cut = " (cut where frames are exact)" if highest > axes.get_ylim()[1] else ""
    dress(
        axes,
        "What is left of the scene, frame by frame of the return",
        f"Aligned PSNR, mean over clips, band: 95 % interval; grey: references{cut}{_not_drawn(exact)}",
        "",
        "PSNR (dB), higher is better",
    )
    length = _strip(strip, chosen, window)
    quarter = max(1, fps // 4)
    strip.set_xlim(0.4, length + 0.6)
    strip.set_xticks([1, *range(quarter, length + 1, quarter)])
    strip.set_xlabel(f"frame of the return ({fps} frames = 1 s)", fontsize=10)
    label_ends(axes, ends, length)
    save(figure, path)


def _by_position(records: Iterable[Record]) -> list[list[float]]:
    """For each frame of the return one value a clip, samples of a clip averaged."""
    found: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for i, value in enumerate(record.per_frame or ()):
            found[i][record.clip].append(value)
    return [[fmean(values) for values in found[i].values()] for i in sorted(found)]


def _curve(axes: Axes, columns: Sequence[Sequence[float]], look: Look) -> None:
    """A model's mean, and its interval where more than one clip gives one."""
    x = range(1, len(columns) + 1)
    bands = [bootstrap_mean(column) for column in columns]
    low, high = [b.low for b in bands if b.low is not None], [b.high for b in bands if b.high is not None]
    if len(low) == len(high) == len(columns):
        axes.fill_between(x, low, high, color=look.colour, alpha=0.13, lw=0)
    axes.plot(x, [b.mean for b in bands], color=look.colour, lw=2, marker=look.marker, ms=4.5, zorder=3)


def _strip(axes: Axes, records: Sequence[Record], window: int) -> int:
    """How many clips' views were last seen ``window`` or more frames ago; gives the longest return."""
    gaps = {record.clip: record.gap for record in records if record.gap is not None}
    length = max((len(gap) for gap in gaps.values()), default=1)
    x = range(length if gaps else 0)
    share = [fmean([gap[i] >= window for gap in gaps.values() if i < len(gap)]) for i in x]
    axes.bar([i + 1 for i in x], share, width=0.86, color="#b9c4cc")
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 1], ["0", "100 %"], fontsize=8, color="#444444")
    title = f"clips whose view was last seen {window} or more frames before: out of window"
    axes.set_title(title, loc="left", fontsize=8.5, color="#555555", pad=3)
    axes.tick_params(labelsize=9, colors="#444444", length=3)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return length


def _not_drawn(names: Sequence[str]) -> str:
    return f"; exact, not drawn: {', '.join(names)}" if names else ""


def consistency_against_memory(table: Table, path: Path) -> None:
    """The primary score against the history held at the end of a clip."""
    figure = new_figure(9.0, 5.6)
    axes = figure.subplots()
    style = looks(table.models)
    memory = {row.model: row.cell(HISTORY).mean for row in table.rows}
    most = max((m for m in memory.values() if m is not None), default=1.0)
    ends, points = [], []
    for row in table.rows:
        score, held = row.primary, memory[row.model]
        if score.mean is None:
            continue
        if row.is_model and held is not None:
            points.append(_Point(f"{row.title}  {human_bytes(held)}", held, score.mean, style[row.model]))
            if score.low is not None and score.high is not None:
                axes.vlines(held, score.low, score.high, color=style[row.model].colour, lw=1.6, zorder=3)
        else:
            colour = style[row.model].colour if row.is_model else GREY
            axes.axhline(score.mean, color=colour, lw=0.8, alpha=0.7, zorder=1)
            ends.append((row.title, score.mean, colour))
    axes.margins(y=0.08)
    axes.set_xlim(0, 1.06 * most)
    axes.xaxis.set_major_formatter(lambda value, _: human_bytes(value))
    dress(
        axes,
        "What remembering costs in memory",
        "Ordered score out of window, 95 % interval over clips; lines: references, and models of unknown memory",
        "history held at the end of a clip",
        "ordered score, higher is better",
    )
    label_ends(axes, ends, 1.06 * most)
    axes.set_ylim(axes.get_ylim())
    for leftward in (False, True):
        _draw_points(axes, [p for p in points if (p.memory > 0.6 * most) == leftward], leftward=leftward)
    save(figure, path)


@dataclass(frozen=True)
class _Point:
    label: str
    memory: float
    score: float
    look: Look


def _draw_points(axes: Axes, points: Sequence[_Point], *, leftward: bool) -> None:
    """Markers with their names beside them, moved apart where points are close."""
    from matplotlib.patheffects import withStroke

    low, high = axes.get_ylim()
    places = spread([p.score for p in points], 0.05 * (high - low), low, high)
    for point, y in zip(points, places, strict=True):
        colour, marker = point.look.colour, point.look.marker
        axes.plot([point.memory], [point.score], color=colour, marker=marker, ms=9, mec="white", zorder=4)
        axes.annotate(
            point.label,
            (point.memory, point.score),
            xytext=(-12 if leftward else 12, y),
            textcoords=("offset points", "data"),
            color=colour,
            fontsize=9.5,
            fontweight="bold",
            ha="right" if leftward else "left",
            va="center",
            zorder=5,
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )
