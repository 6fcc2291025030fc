"""Names beside what they name, moved apart where they would lie on one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from magbench.render.theme import LABEL, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

SPACING = 1.32
"""Distance of two lines of text, in sizes of its font."""


@dataclass(frozen=True)
class EndLabel:
    """The name of a curve, where it ends; ``quiet`` for references."""

    text: str
    value: float
    colour: str
    quiet: bool = False


@dataclass(frozen=True)
class PointLabel:
    """The name of a point with a vertical interval from ``low`` to ``high``; all in data coordinates."""

    text: str
    x: float
    y: float
    low: float
    high: float
    colour: str


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


def room_for(labels: Sequence[str], width: float, height: float, panes: int = 1) -> tuple[float, float]:
    """The size of a figure in inches that holds these labels beside each pane: larger for long names and for many."""
    longest = max((len(label) for label in labels), default=0)
    beside = panes * max(0, longest - 22) * LABEL * 0.68 / 72
    return width + beside, max(height, 1.9 + len(labels) * LABEL * SPACING / 72)


def label_ends(axes: Axes, ends: Sequence[EndLabel], last: float) -> None:
    """Write the names of curves that end at x = ``last`` right of the axes.

    The vertical axis is final from here on; a curve that has left it is named at its edge.
    """
    if not ends:
        return
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    values = [min(max(end.value, low), high) for end in ends]
    line = SPACING * LABEL / _points_high(axes) * (high - low)
    places = spread(values, line, low + line / 2, high - line / 2)
    for end, value, y in zip(ends, values, places, strict=True):
        axes.annotate(
            end.text,
            xy=(last, value),
            xytext=(1.03, (y - low) / (high - low)),
            textcoords="axes fraction",
            color=end.colour,
            fontsize=SMALL if end.quiet else LABEL,
            fontweight="normal" if end.quiet else "bold",
            va="center",
            annotation_clip=False,
            arrowprops=_leader(end.colour),
        )


def _leader(colour: str, start: float = 0.0) -> dict[str, Any]:
    """A thin line to what is named, from the left end of its name (``start`` 0) or from the right one (1)."""
    return {"arrowstyle": "-", "color": colour, "lw": 0.8, "shrinkA": 1, "shrinkB": 5, "relpos": (start, 0.5)}


def _points_high(axes: Axes) -> float:
    """Height of the axes in points, once everything drawn so far has its room."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return axes.get_window_extent().height * 72 / figure.dpi


def label_points(axes: Axes, points: Sequence[PointLabel], lines: Sequence[float]) -> None:
    """Write a name beside each point, off other names, points and intervals, and off the horizontal ``lines``.

    The axes are final from here on. Where there is no such place, a line may run behind the name.
    """
    from matplotlib.transforms import Bbox

    _points_high(axes)
    inside, dot = axes.get_window_extent(), axes.figure.dpi / 72
    heights = [axes.transData.transform((0.0, y))[1] for y in lines]
    taken = []
    for point in points:
        (x, low), (_, high) = axes.transData.transform([(point.x, point.low), (point.x, point.high)])
        taken.append(Bbox.from_extents(x - 8 * dot, low - 6 * dot, x + 8 * dot, high + 6 * dot))
    for point in sorted(points, key=lambda point: -point.y):
        size = _size(axes, point.text)
        centre: tuple[float, float] = tuple(axes.transData.transform((point.x, point.y)).tolist())
        places = _places(centre, size.width, size.height, 12 * dot)
        free = [box for box in places if _inside(box, inside) and not any(box.overlaps(other) for other in taken)]
        clear = (box for box in free if not any(box.y0 < y < box.y1 for y in heights))
        box = next(chain(clear, free, places))
        taken.append(box)
        beside = abs(box.y0 + box.y1 - 2 * centre[1]) < size.height  # then no line is needed
        leftward = box.x1 < centre[0]
        text = axes.annotate(
            point.text,
            (point.x, point.y),
            xytext=((box.x0 - centre[0]) / dot, ((box.y0 + box.y1) / 2 - centre[1]) / dot),
            textcoords="offset points",
            color=point.colour,
            fontsize=LABEL,
            fontweight="bold",
            ha="left",
            va="center",
            zorder=6,
            arrowprops=None if beside else _leader(point.colour, float(leftward)),
        )
        text.set_in_layout(False)


def _size(axes: Axes, text: str) -> Bbox:
    """The extent in pixels of the name of a point."""
    drawn = axes.text(0, 0, text, fontsize=LABEL, fontweight="bold")
    size = drawn.get_window_extent()
    drawn.remove()
    return size


def _places(centre: tuple[float, float], width: float, height: float, gap: float) -> list[Bbox]:
    """Boxes for a name right and left of a point, the nearest first."""
    from matplotlib.transforms import Bbox

    found = []
    for step in range(80):
        shift = (step + 1) // 2 * (1 if step % 2 else -1) * height / 3
        for x in (centre[0] + gap, centre[0] - gap - width):
            found.append(Bbox.from_bounds(x, centre[1] + shift - height / 2, width, height))
    return found


def _inside(box: Bbox, frame: Bbox) -> bool:
    return box.x0 >= frame.x0 and box.x1 <= frame.x1 and box.y0 >= frame.y0 and box.y1 <= frame.y1
