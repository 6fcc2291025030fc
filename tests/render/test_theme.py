"""Colours stay with their models, and labels do not sit on one another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from magbench.render.theme import looks, spread


def test_a_model_looks_the_same_in_any_company() -> None:
    assert looks(["mag", "window"])["mag"] == looks(["strided", "another", "mag"])["mag"]


def test_no_two_models_look_the_same() -> None:
    names = ["mag", "window", "window_sink", "full_history", "strided", *(f"model{i}" for i in range(20))]
    assert len(set(looks(names).values())) == len(names)


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
