"""Depth of a map made by hand, against distances that the hand computes."""

from __future__ import annotations

import numpy as np
import pytest

from magbench.suites.worlds.doom.depth import Geometry
from tests.suites.worlds.doom.rooms import two_rooms

LENS = np.array([50.0, 60.0, 50.0, 30.0])
SIZE = (60, 100)


def pose(x: float, y: float, z: float, yaw: float) -> np.ndarray:
    return np.array([x, y, z, yaw, 0.0])


def test_a_wall_ahead_is_as_far_as_it_stands() -> None:
    depth = Geometry(two_rooms()).depth(pose(100, 200, 41, 180), LENS, SIZE)
    assert np.allclose(depth[20:30, 50], 100)
    rows = np.arange(55, 60)
    np.testing.assert_allclose(depth[rows, 50], 60 * 41 / (rows + 0.5 - 30))  # the floor, 41 below the eye
    np.testing.assert_allclose(depth[0, 50], min(100, 60 * 87 / 29.5))  # the ceiling would be further than the wall


@pytest.mark.parametrize("yaw", [90.0, 270.0])
def test_a_wall_at_an_angle(yaw: float) -> None:
    depth = Geometry(two_rooms()).depth(pose(200, 200, 41, yaw + 30), LENS, SIZE)
    for column in (20, 50, 80):
        u = (column + 0.5 - 50) / 50
        turned = np.radians(30)
        side = 1 if yaw == 90 else 1
        # The ray forward + u right meets the wall 200 away where its part across the wall is 200.
        across = np.cos(turned) + side * u * np.sin(turned)
        hit = 200 / across
        x = 200 + hit * (np.cos(np.radians(yaw + 30)) + u * np.sin(np.radians(yaw + 30)))
        if 0 < x < 400:
            assert depth[30, column] == pytest.approx(hit)


def test_through_the_opening_to_the_room_behind() -> None:
    depth = Geometry(two_rooms()).depth(pose(200, 200, 41, 0), LENS, SIZE)
    middle = depth[:, 50]
    rows = np.arange(60) + 0.5
    assert middle[30] == pytest.approx(600)  # the wall at x = 800
    step = (rows > 30 + 60 * 25 / 200) & (rows < 30 + 60 * 41 / 200)
    assert step.any() and np.allclose(middle[step], 200)  # the step of 16 at x = 400
    lintel = (rows < 30 - 60 * 55 / 200) & (rows > 30 - 60 * 87 / 200)
    assert lintel.any() and np.allclose(middle[lintel], 200)  # the ceiling comes down from 128 to 96
    sky = (rows > 30 - 60 * 55 / 200) & (rows < 30 - 60 * 55 / 600)
    assert sky.any() and np.isinf(middle[sky]).all()
