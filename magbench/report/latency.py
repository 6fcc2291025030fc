"""The plot of latency against history: what the run itself saw, and beside it a profile of long histories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from magbench.profiling.plot import BUSY, Curves, draw_profile
from magbench.render.labels import EndLabel, label_ends, room_for
from magbench.render.theme import LINE, Look, Theme, dress, looks, new_figure, remove, save
from magbench.report.tables import Table
from magbench.report.timings import comparable
from magbench.runs.records import Record
from magbench.scoring.costs import BLOCK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Latency = Mapping[int, Sequence[float]]
"""Frames of history before a block -> seconds of such blocks."""


def latency_against_history(records: Sequence[Record], table: Table, path: Path, profile: Curves | None = None) -> None:
    """Draw seconds per block against the history before it, and in a second pane the ``profile``, if there is one.

    No file is left where neither was measured.
    """
    timed = {model: comparable(r for r in records if r.model == model and is_block(r)) for model in table.models}
    found = {f"{model}{BUSY}" if told.busy else model: _latency(own) for model, (own, told) in timed.items()}
    measured = {model: points for model, points in found.items() if points}
    if not measured and not profile:
        remove(path)
        return
    names = [*measured, *(profile or {})]
    style = looks([*table.models, *(name.removesuffix(BUSY) for name in names)])
    style |= {name: style[name.removesuffix(BUSY)] for name in names}
    save(lambda theme: _draw(theme, measured, profile or {}, style), path)


def _draw(theme: Theme, run: Mapping[str, Latency], profile: Curves, style: Mapping[str, Look]) -> Figure:
    count = bool(run) + bool(profile)
    figure = new_figure(theme, *room_for([*run, *profile], 12.5 if count == 2 else 9.0, 5.2, count))
    panes = list(figure.subplots(1, count, squeeze=False)[0])
    if profile:
        draw_profile(panes[-1], theme, profile, style)
    if run:
        _draw_run(panes[0], theme, run, style)
    return figure


def _draw_run(axes: Axes, theme: Theme, points: Mapping[str, Latency], style: Mapping[str, Look]) -> None:
    ends = []
    for model, found in points.items():
        colour, x = theme.colour(style[model]), sorted(found)
        middle = [median(found[i]) * 1000 for i in x]
        quarters = [quantiles(found[i], n=4) if len(found[i]) > 1 else [found[i][0]] * 3 for i in x]
        low, high = [q[0] * 1000 for q in quarters], [q[2] * 1000 for q in quarters]
        axes.fill_between(x, low, high, color=colour, alpha=0.09, lw=0)
        line = ":" if model.endswith(BUSY) else "-"
        axes.plot(x, middle, color=colour, lw=LINE, ls=line, marker=style[model].marker, ms=6)
        ends.append(EndLabel(model, middle[-1], colour))
    axes.set_ylim(bottom=0)
    ticks = sorted({x for found in points.values() for x in found})
    if len(ticks) <= 12:
        axes.set_xticks(ticks)
    dress(
        axes,
        theme,
        "What a block costs as history grows",
        "During the run: median over clips, bands: middle half; first blocks left out",
        "history before the block (frames)",
        "time per block (ms), lower is better",
    )
    label_ends(axes, ends, ticks[-1])


def _latency(records: Iterable[Record]) -> dict[int, list[float]]:
    """Frames of history before a block -> seconds of such blocks; first blocks are left out."""
    found: dict[int, list[float]] = defaultdict(list)
    for record in records:
        for frame, seconds in list(zip(record.frame or (), record.per_frame or (), strict=True))[1:]:
            found[frame].append(seconds)
    return found


def is_block(record: Record) -> bool:
    """Whether a record holds seconds of blocks: all that :func:`latency_against_history` looks at."""
    return (record.protocol, record.metric) == (BLOCK.protocol, BLOCK.name)
