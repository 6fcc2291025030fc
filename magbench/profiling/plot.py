"""The plot of latency against history: what the run itself saw, and beside it a profile of long histories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from magbench.render.theme import Look, dress, label_ends, looks, new_figure, save
from magbench.report.tables import Table
from magbench.runs.records import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves = Mapping[str, Sequence[tuple[int, float]]]
"""Model -> (blocks of history, seconds a block), from a profile."""


def latency_against_history(records: Sequence[Record], table: Table, path: Path, profile: Curves | None = None) -> None:
    """Seconds per block against the history before it; in a second pane the ``profile``, if there is one."""
    figure = new_figure(12.5 if profile else 9.0, 5.2)
    panes = figure.subplots(1, 2 if profile else 1, squeeze=False)[0]
    style = looks([*table.models, *(profile or {})])
    points = {model: _latency([r for r in records if r.model == model]) for model in table.models}
    _draw_run(panes[0], {model: found for model, found in points.items() if found}, style)
    if profile:
        draw_profile(panes[1], profile, style)
    save(figure, path)


def _draw_run(axes: Axes, points: Mapping[str, Mapping[int, list[float]]], style: Mapping[str, Look]) -> None:
    ends = []
    for model, found in points.items():
        look, x = style[model], sorted(found)
        middle = [median(found[i]) * 1000 for i in x]
        quarters = [quantiles(found[i], n=4) if len(found[i]) > 1 else [found[i][0]] * 3 for i in x]
        low, high = [q[0] * 1000 for q in quarters], [q[2] * 1000 for q in quarters]
        axes.fill_between(x, low, high, color=look.colour, alpha=0.13, lw=0)
        axes.plot(x, middle, color=look.colour, lw=2, marker=look.marker, ms=5)
        ends.append((model, middle[-1], look.colour))
    axes.set_ylim(bottom=0)
    ticks = sorted({x for found in points.values() for x in found})
    if 0 < len(ticks) <= 16:
        axes.set_xticks(ticks)
    dress(
        axes,
        "What a block costs as history grows",
        "During the run: median over clips, band: middle half; a clip's first block is left out",
        "history before the block (frames)",
        "time per block (ms), lower is better",
    )
    label_ends(axes, ends, ticks[-1] if ticks else 0)


def _latency(records: Iterable[Record]) -> dict[int, list[float]]:
    """Frames of history before a block -> seconds of such blocks; first blocks are left out."""
    found: dict[int, list[float]] = defaultdict(list)
    for record in records:
        if (record.protocol, record.metric) == ("cost", "block_s"):
            for frame, seconds in list(zip(record.frame or (), record.per_frame or (), strict=True))[1:]:
                found[frame].append(seconds)
    return found


def draw_profile(axes: Axes, profile: Curves, style: Mapping[str, Look]) -> None:
    """Seconds per block against synthetic histories of many blocks."""
    ends = []
    for model, points in profile.items():
        x, y = [blocks for blocks, _ in points], [seconds * 1000 for _, seconds in points]
        axes.plot(x, y, color=style[model].colour, lw=2, marker=style[model].marker, ms=5)
        ends.append((model, y[-1], style[model].colour))
    axes.set_ylim(bottom=0)
    dress(
        axes,
        "What a block costs after a long history",
        "Synthetic history, models timed in turn; median of several blocks after warm-up",
        "history before the block (blocks)",
        "time per block (ms), lower is better",
    )
    label_ends(axes, ends, max(blocks for points in profile.values() for blocks, _ in points))
