"""The camera in a real map, where ViZDoom is installed: exact places, still pictures, one line where it is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.camera import EYE, SCREENS, Camera, on_lattice, still_map
from magbench.suites.worlds.doom.depth import Geometry
from magbench.suites.worlds.visibility import View, places, project

PLACE = "MAP01"


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    pytest.importorskip("vizdoom")
    with Camera(PLACE, SCREENS["96x64"]) as camera:
        yield camera


def start() -> np.ndarray:
    """The place where a player of the map would start, on its floor."""
    from magbench.suites.worlds.doom.ground import Ground
    from magbench.suites.worlds.doom.wad import table

    lumps = still_map(PLACE)
    player = next(thing for thing in table(lumps, "THINGS") if thing["type"] == 1)
    ground = Ground(lumps)
    x, y = float(player["x"]), float(player["y"])
    return np.array([x, y, ground.floor[ground.cell(x, y)] + EYE, float(player["angle"]), 0.0])


def test_the_same_pose_gives_the_same_frame(camera: Camera) -> None:
    here = on_lattice(start()[None])[0]
    away = here + [0, 0, 0, 120, 0]
    first = camera.frame(here).copy()
    assert first.shape == (64, 96, 3) and first.std() > 5
    assert not np.array_equal(camera.frame(away), first)
    assert np.array_equal(camera.frame(here), first)


def test_a_place_outside_the_map_is_refused(camera: Camera) -> None:
    with pytest.raises(MagbenchError, match="the engine refuses"):
        camera.frame(np.array([30000.0, 30000.0, 41.0, 0.0, 0.0]))


def test_depth_says_where_things_go_when_the_camera_turns(camera: Camera) -> None:
    """Pixels of one frame, moved to where depth says that another shows them, have the colours found there."""
    here = on_lattice(start()[None])[0]
    there = on_lattice((here + [0, 0, 0, 15, 0])[None])[0]
    lens = camera.screen.intrinsics()
    depth = Geometry(still_map(PLACE)).depth(here, lens, (64, 96)).astype(np.float32)
    one, other = camera.frame(here).astype(int), camera.frame(there).astype(int)
    column, row, ahead = project(places(View(depth, here, lens)), View(depth, there, lens))
    inside = (ahead > 0) & (column >= 0) & (column < 96) & (row >= 0) & (row < 64)
    moved = other[row[inside].astype(int), column[inside].astype(int)]
    assert inside.mean() > 0.6
    error, unmoved = np.abs(moved - one[inside]).mean(), np.abs(other - one)[inside].mean()
    assert error < unmoved / 2


def test_without_the_engine_one_line_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MagbenchError, match=r'ViZDoom, which is not installed: pip install "magbench\[3d\]"'):
        Camera(PLACE, SCREENS["832x480"])


def test_both_sizes_see_ninety_degrees_across() -> None:
    for name, screen in SCREENS.items():
        fx, fy, cx, cy = screen.intrinsics()
        width, height = map(int, name.split("x"))
        assert (cx, cy) == (width / 2, height / 2)
        assert 2 * np.degrees(np.arctan(cx / fx)) == pytest.approx(90, abs=0.2)
        assert fy == pytest.approx(1.2 * fx)
