"""What earlier frames show, on scenes whose answer the hand computes."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.suites.worlds.visibility import View, places, project, seen_before, shown

LENS = np.array([32.0, 32.0, 32.0, 16.0])
"""90 degrees across 64 columns."""
SIZE = (32, 64)


def turned(yaw: float, depth: float = np.inf) -> View:
    return View(np.full(SIZE, depth, np.float32), np.array([0.0, 0.0, 0.0, yaw, 0.0]), LENS)


def test_places_go_back_where_they_came_from() -> None:
    rng = np.random.default_rng(0)
    view = View(rng.uniform(5, 50, SIZE).astype(np.float32), np.array([3.0, -2.0, 1.0, 77.0, -12.0]), LENS)
    column, row, ahead = project(places(view), view)
    np.testing.assert_allclose(column, np.broadcast_to(np.arange(64) + 0.5, SIZE), atol=1e-4)
    np.testing.assert_allclose(row, np.broadcast_to(np.arange(32)[:, None] + 0.5, SIZE), atol=1e-4)
    np.testing.assert_allclose(ahead, view.depth, rtol=1e-6)


def test_the_axes_are_those_of_the_suite_format() -> None:
    north = View(np.full(SIZE, 10, np.float32), np.array([0.0, 0.0, 0.0, 90.0, 0.0]), LENS)
    points = places(north)
    assert points[0, 0, 1] == pytest.approx(10)  # yaw 90 looks along y
    assert points[0, 0, 0] < 0 < points[0, 63, 0]  # east is on the right
    assert points[0, 0, 2] > 0 > points[31, 0, 2]  # up is up


@pytest.mark.parametrize(("yaw", "share"), [(0.0, 1.0), (45.0, 0.5), (90.0, 0.0), (180.0, 0.0)])
def test_a_turn_shows_what_lies_in_both_fields_of_view(yaw: float, share: float) -> None:
    one, other = turned(0), turned(yaw)
    found = shown(places(one), np.isinf(one.depth), other)[16]
    assert found.mean() == pytest.approx(share, abs=0.02)
    if 0 < share < 1:  # turned to the left: the left of the first view is the right of the other
        assert found[:31].all() and not found[33:].any()


def test_what_stands_in_front_hides() -> None:
    wall = turned(0, 50)
    blocked = View(
        np.where(np.arange(64) < 32, 20, 50).astype(np.float32) * np.ones((32, 1), np.float32), wall.pose, LENS
    )
    found = shown(places(wall), np.isinf(wall.depth), blocked)
    assert not found[:, :32].any() and found[:, 32:].all()


def test_gaps_count_from_the_last_given_frame_that_shows_the_place() -> None:
    yaws = np.array([0.0, 45.0, 180.0, 45.0, 0.0])
    poses = np.column_stack([np.zeros((5, 3)), yaws, np.zeros(5)])
    depth = np.full((5, *SIZE), np.inf, np.float32)
    overlap, gap = seen_before(depth, poses, LENS, switch=3)
    assert not overlap[:3].any()
    middle = gap[:, 16]
    assert not middle[:3].any()
    assert (middle[3] == 2).all()  # frame 1 shows the very view
    assert (middle[4, :31] == 3).all()  # its left half was last shown by frame 1,
    assert (middle[4, 33:] == 4).all()  # its right half only by frame 0; frame 3 was not given
    assert overlap[4, 0] == 1 and overlap[4, 2] == 0
    assert overlap[4, 3] == overlap[4, 1]
