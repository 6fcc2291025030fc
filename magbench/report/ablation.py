"""The table and the plot of an ablation: measures of several trainings, over seeds, and what a setting changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from magbench.core.files import write_atomic
from magbench.core.parsing import parse_object, read_text
from magbench.render.grid import Grid
from magbench.render.labels import EndLabel, label_ends
from magbench.render.text import markdown
from magbench.render.theme import LINE, SPARE, Theme, dress, new_figure, save_light
from magbench.stats.student import t_quantile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTING = "lambda"


@dataclass(frozen=True)
class Trial:
    """What was measured after one training.

    Attributes:
        start: what it started from.
        setting: value of what is varied; None before any training.
        seed: None likewise.
        means: measure -> mean over scenes.
    """

    start: str
    setting: float | None
    seed: int | None
    means: Mapping[str, float]


def read_trial(path: Path) -> Trial:
    """Read what `magbench ablate` wrote of one training."""
    found: dict[str, Any] = parse_object(read_text(path), str(path))
    means = {name: fmean(values) for name, values in found["values"].items()}
    return Trial(found["start"], found.get(SETTING), found.get("seed"), means)


def write_report(trials: Sequence[Trial], measures: Mapping[str, str], head: str, folder: Path, name: str) -> Path:
    """Write ``NAME.md`` and ``NAME.png``; the page's path."""
    save_light(lambda theme: _draw(theme, trials, measures), folder / f"{name}.png")
    lines = [
        head,
        "",
        markdown(table(trials, measures)).rstrip(),
        "",
        CHANGES,
        "",
        markdown(changes(trials, measures)).rstrip(),
        "",
    ]
    lines += [f"- {measure}: {about}" for measure, about in measures.items()]
    page = folder / f"{name}.md"
    write_atomic(page, "\n".join([*lines, "", f"![{name}]({name}.png)", ""]))
    return page


CHANGES = f"Against {SETTING} 0 of the same start and seed:"


def table(trials: Sequence[Trial], measures: Mapping[str, str]) -> Grid:
    """A row for each start and setting: mean over seeds, with the 95 % interval of Student's t."""
    rows = []
    for start, setting in _kinds(trials):
        mine = [t for t in trials if (t.start, t.setting) == (start, setting)]
        cells = (show([t.means[measure] for t in mine]) for measure in measures)
        rows.append((start, "start" if setting is None else f"{setting:g}", str(len(mine)), *cells))
    return Grid(("start", SETTING, "seeds", *measures), tuple(rows), (False,) * len(rows), left=1)


def changes(trials: Sequence[Trial], measures: Mapping[str, str]) -> Grid:
    """A row for each start and setting above 0: the mean paired difference over seeds, with its interval."""
    rows = []
    for start, setting in _kinds(trials):
        if setting:
            cells = (show(paired(trials, start, setting, measure), sign="+") for measure in measures)
            rows.append((start, f"{setting:g}", *cells))
    return Grid(("start", SETTING, *measures), tuple(rows), (False,) * len(rows), left=1)


def paired(trials: Sequence[Trial], start: str, setting: float, measure: str) -> list[float]:
    """For each seed that has both, the measure at ``setting`` minus that at 0."""
    found = {(t.setting, t.seed): t.means[measure] for t in trials if t.start == start}
    seeds = sorted(seed for value, seed in found if value == setting and seed is not None)
    return [found[setting, seed] - found[0.0, seed] for seed in seeds if (0.0, seed) in found]


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of a mean over seeds, by Student's t; None below two."""
    if len(values) < 2:
        return None
    reach = t_quantile(0.975, len(values) - 1) * stdev(values) / math.sqrt(len(values))
    return fmean(values) - reach, fmean(values) + reach


def show(values: Sequence[float], sign: str = "") -> str:
    """``0.123 [0.100, 0.146]``."""
    if not values:
        return "-"
    found = interval(values)
    ends = "" if found is None else f" [{found[0]:{sign}.3f}, {found[1]:{sign}.3f}]"
    return f"{fmean(values):{sign}.3f}{ends}"


def _kinds(trials: Sequence[Trial]) -> list[tuple[str, float | None]]:
    return sorted({(t.start, t.setting) for t in trials}, key=lambda k: (k[0], -1 if k[1] is None else k[1]))


def _draw(theme: Theme, trials: Sequence[Trial], measures: Mapping[str, str]) -> Figure:
    """A pane for each start: each measure against the setting, every seed a dot, dashes before training."""
    starts = sorted({t.start for t in trials if t.setting is not None})
    figure = new_figure(theme, 7.5 * len(starts), 5.4)
    for axes, start in zip(figure.subplots(1, len(starts), squeeze=False)[0], starts, strict=True):
        mine = [t for t in trials if t.start == start]
        settings = sorted({t.setting for t in mine if t.setting is not None})
        ends = []
        for measure, look in zip(measures, SPARE, strict=False):
            colour = theme.colour(look)
            points = [[t.means[measure] for t in mine if t.setting == setting] for setting in settings]
            axes.plot(settings, [fmean(p) for p in points], color=colour, lw=LINE)
            for setting, values in zip(settings, points, strict=True):
                axes.plot([setting] * len(values), values, look.marker, color=colour, ms=4.5, alpha=0.8)
            before = [t.means[measure] for t in mine if t.setting is None]
            axes.plot([-0.07] * len(before), before, look.marker, color=colour, ms=8, mfc="none")
            ends.append(EndLabel(measure, fmean(points[-1]), colour))
        axes.set_ylim(-0.03, 1.03)
        subtitle = "Share of cells; dots are seeds, hollow marks stand before matching"
        dress(axes, theme, f"From weights of '{start}'", subtitle, SETTING, "")
        label_ends(axes, ends, settings[-1])
    return figure
