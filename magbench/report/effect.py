"""The history effects of a run as a table."""

from __future__ import annotations

from magbench.analysis.clipwise import summarise
from magbench.analysis.history_effect import MeasuredEffects
from magbench.render.grid import Grid
from magbench.report.columns import column_of
from magbench.report.grids import show_interval


def effect_grid(measured: MeasuredEffects) -> Grid:
    """A row a model, the largest effect first, with its interval over clips."""
    rows = []
    for model in {record.model: None for record in measured.records}:
        mine = [record for record in measured.records if record.model == model]
        cell = summarise(mine)
        rows.append((cell.mean or 0.0, (model, show_interval(cell, column_of(mine[0])), str(cell.n))))
    rows.sort(key=lambda row: (-row[0], row[1]))
    header = ("model", "history effect [95 %]", "n")
    return Grid(header, tuple(cells for _, cells in rows), tuple(False for _ in rows), left=1)
