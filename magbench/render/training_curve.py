"""The plot of a training log: loss, and scores on development scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magbench.core.errors import MagbenchError
from magbench.core.parsing import parse_object, read_text
from magbench.render.labels import EndLabel, label_ends
from magbench.render.theme import HOUSE, LINE, SPARE, Theme, dress, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]
"""(step, value)."""


def draw_curve(log: Path, path: Path) -> None:
    """Write the curve of one training stage, light and dark, as PNG and SVG.

    Args:
        log: one JSON object a line; ``step`` with ``loss`` and ``seconds``, or ``step`` with scores in dB.
        path: the light PNG.
    """
    loss, seconds, scores = read_log(log)
    subtitle = f"{_spent(seconds[-1])} in all" if seconds else ""
    save(lambda theme: _draw(theme, f"Training {log.stem}", subtitle, loss, scores), path)


def read_log(log: Path) -> tuple[Points, Sequence[float], Mapping[str, Points]]:
    """(loss, seconds spent until each, scores by name) of a training log.

    Raises:
        MagbenchError: it is not one.
    """
    try:
        lines = [
            parse_object(line, f"{log}: line {number}") for number, line in enumerate(read_text(log).splitlines(), 1)
        ]
        numbers = [{name: float(value) for name, value in line.items()} for line in lines]
        loss = [(line["step"], line["loss"]) for line in numbers if "loss" in line]
        seconds = [line["seconds"] for line in numbers if "loss" in line]
        return loss, seconds, _scores([line for line in numbers if "loss" not in line])
    except (MagbenchError, ValueError, KeyError, TypeError) as error:
        raise MagbenchError(f"{log}: not a training log ({error})") from error


def _spent(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def _scores(lines: Sequence[Mapping[str, float]]) -> dict[str, Points]:
    names = sorted({name for line in lines for name in line if name != "step"})
    return {name: [(line["step"], line[name]) for line in lines if name in line] for name in names}


def _draw(theme: Theme, title: str, subtitle: str, loss: Points, scores: Mapping[str, Points]) -> Figure:
    """A pane for each of the two that was logged."""
    figure = new_figure(theme, 12.5 if loss and scores else 9.0, 4.8)
    panes = list(figure.subplots(1, 2 if loss and scores else 1, squeeze=False)[0])
    if scores:
        _draw_scores(panes[-1], theme, scores)
    if loss or not scores:
        panes[0].plot(*zip(*loss, strict=True), color=theme.colour(HOUSE["full_history"]), lw=1.6)
        _plain_log(panes[0], [value for _, value in loss])
        dress(panes[0], theme, title, subtitle, "step", "loss: mean squared error of latents")
    return figure


def _draw_scores(axes: Axes, theme: Theme, scores: Mapping[str, Points]) -> None:
    values = [value for points in scores.values() for _, value in points]
    axes.set_ylim(min(values) - 1, max(values) + 1)
    ends = []
    for (name, points), look in zip(scores.items(), SPARE, strict=False):
        colour = theme.colour(look)
        axes.plot(*zip(*points, strict=True), color=colour, marker=look.marker, ms=5, lw=LINE)
        ends.append(EndLabel(name, points[-1][1], colour))
    dress(axes, theme, "Development scenes", "Mean over clips, running mean of the weights", "step", "PSNR (dB)")
    label_ends(axes, ends, max(step for points in scores.values() for step, _ in points))


def _plain_log(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis with a few round numbers written out: 0.05, 0.1, 0.2."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_yscale("log")
    positive = [value for value in values if value > 0]
    if not positive:
        return
    low, high = 0.93 * min(positive), 1.07 * max(positive)
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(FixedLocator(round_numbers(low, high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def round_numbers(low: float, high: float) -> list[float]:
    """Three to eight round numbers in [low, high], 0 < low < high, about evenly apart on a logarithmic axis."""
    from math import ceil, floor, log10

    decades = range(floor(log10(low)), floor(log10(high)) + 1)
    found: list[float] = []
    for mantissas in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)):
        found = [float(f"{m}e{d}") for d in decades for m in mantissas if low <= float(f"{m}e{d}") <= high]
        if 3 <= len(found) <= 8:
            return found
    if len(found) > 8:
        decades_only = [float(f"1e{d}") for d in decades if low <= float(f"1e{d}") <= high]
        return decades_only[:: ceil(len(decades_only) / 8)]
    step = 10.0 ** floor(log10((high - low) / 2))
    step *= next(m for m in (5, 2, 1) if (high - low) / (step * m) >= 2)
    first = ceil(low / step)
    return [float(f"{(first + i) * step:.6g}") for i in range(floor(high / step) - first + 1)]
