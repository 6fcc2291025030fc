"""Names beside curves and points do not lie on one another."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from magbench.render.labels import EndLabel, PointLabel, label_ends, label_points, room_for, spread
from magbench.render.theme import DARK, LIGHT, Theme, dress, new_figure

LONG = [f"wan:causal+window_sink:frames={i}:sink=3" for i in range(12)]


@pytest.mark.parametrize("values", [[0.0, 0.1, 5.0], [1.0, 1.0, 1.0], [3.0, 2.9, 2.8, 9.0, 0.0], [4.0], []])
def test_labels_keep_their_distance_and_their_order(values: list[float]) -> None:
    placed = spread(values, 1.0)
    ordered = sorted(placed)
    assert all(b - a >= 1 - 1e-9 for a, b in pairwise(ordered))
    rank = sorted(range(len(values)), key=lambda i: values[i])
    assert [placed[i] for i in rank] == ordered


def test_labels_that_are_far_apart_stay_where_they_are() -> None:
    assert spread([0.0, 2.0, 7.0], 1.0) == [0.0, 2.0, 7.0]


def test_labels_stay_inside() -> None:
    assert spread([0.0, 0.1, 9.9, 10.0], 1.0, 0.0, 10.0) == [0.0, 1.0, 9.0, 10.0]
    assert spread([5.0] * 4, 1.0, 4.0, 6.0) == [3.0, 4.0, 5.0, 6.0]


def axes_for(names: list[str], theme: Theme = LIGHT) -> Axes:
    axes = new_figure(theme, *room_for(names, 9.0, 5.0)).subplots()
    dress(axes, theme, "A title", "and a line under it that is as long as such lines are", "x", "y")
    axes.set_ylim(0, 1)
    axes.set_xlim(0, 10)
    return axes


def extents(axes: Axes, names: list[str]) -> list[Bbox]:
    """Where the renderer puts the names, without the lines that lead to them."""
    axes.figure.draw_without_rendering()
    return [Text.get_window_extent(text) for text in axes.texts if text.get_text() in names]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, 7.0])
def test_names_of_curves_that_end_together_do_not_overlap(value: float, theme: Theme) -> None:
    axes = axes_for(LONG, theme)
    label_ends(axes, [EndLabel(name, value + 0.001 * i, "#000000") for i, name in enumerate(LONG)], 10)
    found = extents(axes, LONG)
    frame, figure = axes.get_window_extent(), axes.figure.bbox
    assert len(found) == 12
    assert not any(a.overlaps(b) for a, b in combinations(found, 2))
    assert all(box.x0 > frame.x1 and box.x1 <= figure.x1 for box in found)  # beside the curves, and inside the picture


def test_names_of_points_keep_off_one_another_off_points_and_off_lines() -> None:
    names = [f"model {i}" for i in range(9)]
    axes = axes_for([])
    points = [PointLabel(n, 1.0 + 8 * (i % 2), 0.9, 0.85, 0.95, "#000000") for i, n in enumerate(names)]
    label_points(axes, points, [0.88])
    found = extents(axes, names)
    assert len(found) == 9
    assert not any(a.overlaps(b) for a, b in combinations(found, 2))
    dots = axes.transData.transform([(1.0, 0.9), (9.0, 0.9)])
    assert not any(box.contains(*dot) for box in found for dot in dots)
    line = axes.transData.transform((0, 0.88))[1]
    assert not any(box.y0 < line < box.y1 for box in found)
    frame = axes.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in found)


def test_long_and_many_names_get_room() -> None:
    assert room_for(["mag", "window"], 9.0, 5.0) == (9.0, 5.0)
    wide, high = room_for(LONG * 2, 9.0, 5.0)
    assert wide > 9 and high > 5
