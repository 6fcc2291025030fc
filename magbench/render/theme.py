"""How plots look: one colour and marker a model in every plot (Okabe-Ito, safe for colour-blind readers)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY = "#8a8a8a"
INK = "#222222"


@dataclass(frozen=True)
class Look:
    """Colour (hex) and marker of one model."""

    colour: str
    marker: str


HOUSE = {
    "full_history": Look("#0072B2", "o"),
    "mag": Look("#D55E00", "D"),
    "strided": Look("#009E73", "s"),
    "window_sink": Look("#E69F00", "^"),
    "window": Look("#CC79A7", "v"),
}
SPARE = tuple(Look(c, m) for m in "P*X<>" for c in ("#56B4E9", "#000000", "#7F3C8D", "#8C6D31", "#666699"))


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Known models keep their colour everywhere; the others take spare ones in the order of their names."""
    names = sorted(set(models))
    strangers = [name for name in names if name not in HOUSE]
    spare = {name: SPARE[i % len(SPARE)] for i, name in enumerate(strangers)}
    return {name: HOUSE[name] if name in HOUSE else spare[name] for name in names}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in inches at 150 dots an inch, without any global plotting state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, facecolor="white", layout="constrained")
    return figure


def dress(axes: Axes, title: str, subtitle: str, x: str, y: str) -> None:
    """Title, a quieter line or two under it, axis names, a light grid, no box."""
    axes.set_title(title + "\n" * (1 + subtitle.count("\n")), loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.text(0, 1.02, subtitle, transform=axes.transAxes, fontsize=8.5, color="#555555", va="bottom")
    axes.set_xlabel(x, fontsize=10, color=INK)
    axes.set_ylabel(y, fontsize=10, color=INK)
    axes.grid(True, color="#e6e6e6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors="#444444", length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#999999")


def spread(values: Sequence[float], least: float, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Move label positions apart until neighbours are ``least`` apart, as little as that takes, inside [low, high].

    Where they cannot all be inside, they end at ``high``.
    """
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups: list[tuple[int, float]] = []  # how many, centre
    for i in order:
        size, centre = 1, values[i]
        while groups and centre - least * size / 2 < groups[-1][1] + least * groups[-1][0] / 2:
            below, its_centre = groups.pop()
            centre = (its_centre * below + centre * size) / (below + size)
            size += below
        groups.append((size, centre))
    placed = [centre + (j - (size - 1) / 2) * least for size, centre in groups for j in range(size)]
    for j in range(len(placed)):
        placed[j] = max(placed[j], low + j * least)
    for j in range(len(placed)):
        placed[-1 - j] = min(placed[-1 - j], high - j * least)
    result = [0.0] * len(values)
    for i, place in zip(order, placed, strict=True):
        result[i] = place
    return result


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without a date in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})


def label_ends(axes: Axes, ends: Sequence[tuple[str, float, str]], last: float) -> None:
    """Write curves' (name, value at x = ``last``, colour) right of the axes, apart where curves meet.

    The vertical axis is final from here on; a curve that has left it is named at its edge.
    """
    if not ends:
        return
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    values = [min(max(value, low), high) for _, value, _ in ends]
    places = spread(values, 0.044 * (high - low), low, high)
    for (name, _, colour), value, y in zip(ends, values, places, strict=True):
        quiet = colour == GREY
        axes.annotate(
            name,
            xy=(last, value),
            xytext=(1.03, (y - low) / (high - low)),
            textcoords="axes fraction",
            color=colour,
            fontsize=8 if quiet else 9.5,
            fontweight="normal" if quiet else "bold",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 1, "shrinkB": 5, "relpos": (0, 0.5)},
        )
