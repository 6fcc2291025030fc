"""The table and the plot of an ablation without training: scores of settings over clips, and what a setting changes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.analysis.clipwise import paired
from magbench.core.files import write_atomic
from magbench.render.grid import Grid, show_p
from magbench.render.text import markdown
from magbench.render.theme import LINE, SMALL, SPARE, Theme, dress, new_figure, save_light
from magbench.report.columns import HISTORY, PRIMARY, PSNR, RETAINED, Column
from magbench.report.grids import heading, show, show_difference, show_interval
from magbench.report.tables import Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from magbench.stats import Paired

SCORES = (RETAINED, PSNR, PRIMARY)
LONG = 9
"""Letters of a setting from which names are set aslant, so that they do not run into each other."""

Lines = Mapping[str, Mapping[str, Row]]
"""Line of the plot -> setting -> what was found. Lines may have settings of their own."""


@dataclass(frozen=True)
class Heading:
    """What stands above: title, name of what is varied, its reference, a paragraph."""

    title: str
    varies: str
    reference: str
    about: str


def find_lines(table: Table, models: Mapping[str, Mapping[str, str]]) -> Lines:
    """Of each line and setting the row of its model."""
    rows = {row.model: row for row in table.rows}
    return {line: {setting: rows[model] for setting, model in mine.items()} for line, mine in models.items()}


def write_report(
    lines: Lines, head: Heading, folder: Path, name: str, scores: Sequence[Column] = SCORES, more: Sequence[str] = ()
) -> Path:
    """Write ``NAME.md``, ``NAME.csv`` and ``NAME.png``; the page's path. ``more``: paragraphs before the plot."""
    save_light(lambda theme: _draw(theme, lines, head, scores), folder / f"{name}.png")
    write_atomic(folder / f"{name}.csv", as_csv(lines, head, scores))
    clips = max(row.primary.n for mine in lines.values() for row in mine.values())
    what = f"{clips} clips, frames out of window, mean with 95 % interval from resampling clips"
    parts = [
        f"# {head.title}",
        head.about,
        f"`magbench ablate {name}`: {what}.",
        markdown(scores_grid(lines, head, scores)).rstrip(),
        f"Clip by clip against {head.varies} {head.reference} of the same line; p from flipping signs, not corrected:",
        markdown(changes_grid(lines, head, scores)).rstrip(),
        *more,
        f"![{name}]({name}.png)",
    ]
    page = folder / f"{name}.md"
    write_atomic(page, "\n\n".join(parts) + "\n")
    return page


def scores_grid(lines: Lines, head: Heading, scores: Sequence[Column] = SCORES) -> Grid:
    """A row for each line and setting."""
    rows = [
        (line, setting, *(show_interval(row.cell(c), c) for c in scores), show(row.cell(HISTORY), HISTORY))
        for line, mine in lines.items()
        for setting, row in mine.items()
    ]
    return _grid(rows, ("", head.varies, *map(heading, scores), heading(HISTORY)))


def changes_grid(lines: Lines, head: Heading, scores: Sequence[Column] = SCORES) -> Grid:
    """A row for each line and setting but the reference: the mean paired difference."""
    rows = []
    for line, mine in lines.items():
        for setting in mine:
            if setting != head.reference and head.reference in mine:
                found = [(c, change(mine, setting, head.reference, c)) for c in scores]
                rows.append((line, setting, *(_changed(f, c) for c, f in found)))
    return _grid(rows, ("", head.varies, *map(heading, scores)))


def change(line: Mapping[str, Row], setting: str, reference: str, column: Column) -> Paired | None:
    """The score at ``setting`` minus that at ``reference``, over the clips that both have; None without a reference."""
    if reference not in line:
        return None
    a, b = (line[s].values.get(column.key, {}) for s in (setting, reference))
    return paired(a, b)


def as_csv(lines: Lines, head: Heading, scores: Sequence[Column] = SCORES) -> str:
    """A row for each line, setting and score, with the difference to the reference."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("line", head.varies, "score", "mean", "low", "high", "n", "difference", "d_low", "d_high", "p"))
    for line, mine in lines.items():
        for setting, row in mine.items():
            for column in scores:
                cell, found = row.cell(column), change(mine, setting, head.reference, column)
                d = found.difference if found and setting != head.reference else None
                apart = ("", "", "", "") if d is None or found is None else (d.mean, d.low, d.high, found.p)
                numbers = (cell.mean, cell.low, cell.high, cell.n, *apart)
                writer.writerow((line, setting, column.key, *map(_short, numbers)))
    return out.getvalue()


def _short(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _changed(found: Paired | None, column: Column) -> str:
    return "-" if found is None else f"{show_difference(found.difference, column)}, p {show_p(found.p)}"


def _grid(rows: Sequence[tuple[str, ...]], header: tuple[str, ...]) -> Grid:
    return Grid(header, tuple(rows), (False,) * len(rows), left=2)


def _draw(theme: Theme, lines: Lines, head: Heading, scores: Sequence[Column]) -> Figure:
    """A pane for each score: its mean and 95 % interval at each setting, a colour for each line."""
    figure = new_figure(theme, 3.6 * len(scores), 3.6)
    settings = list(dict.fromkeys(setting for mine in lines.values() for setting in mine))
    for axes, column in zip(figure.subplots(1, len(scores), squeeze=False)[0], scores, strict=True):
        for number, (look, (line, mine)) in enumerate(zip(SPARE, lines.items(), strict=False)):
            label: str | None = line
            for setting, row in mine.items():
                cell, x = row.cell(column), settings.index(setting) + 0.12 * number
                axes.plot([x, x], [cell.low, cell.high], color=theme.colour(look), lw=LINE)
                axes.plot(x, cell.mean, look.marker, color=theme.colour(look), ms=7, label=label)
                label = None
        dress(axes, theme, heading(column), "", head.varies, "")
        long = max(map(len, settings)) > LONG
        axes.set_xticks(range(len(settings)), settings, rotation=30 if long else 0, ha="right" if long else "center")
        axes.set_xlim(-0.3, len(settings) - 0.8 + 0.12 * len(lines))
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside upper left", frameon=False, fontsize=SMALL, labelcolor=theme.ink
    )
    return figure
