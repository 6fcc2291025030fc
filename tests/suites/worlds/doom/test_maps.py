"""Maps made still, where one can stand in them, and paths through them, on rooms made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from magbench.core.errors import MagbenchError
from magbench.suites.worlds.doom.camera import EYE, on_lattice
from magbench.suites.worlds.doom.ground import Ground
from magbench.suites.worlds.doom.maps import MAPS, SPLITS
from magbench.suites.worlds.doom.paths import FRAMES, HALF, TURNS, Place, camera_path
from magbench.suites.worlds.doom.tracks import ease, level, smooth
from magbench.suites.worlds.doom.wad import Wad, still, table, write_still
from tests.suites.worlds.doom.rooms import two_rooms


def test_no_map_is_in_two_splits() -> None:
    assert sorted(name for maps in SPLITS.values() for name in maps) == sorted(MAPS)
    assert len(MAPS) == 68 and all(len(maps) >= 8 for maps in SPLITS.values())


def test_a_still_map_comes_back_from_its_file(tmp_path: Path) -> None:
    made = still(two_rooms())
    assert table(made, "THINGS")["type"].tolist() == [1]  # the monster is gone
    assert table(made, "SECTORS")["special"].tolist() == [0, 0]
    assert (table(made, "SECTORS")["light"] > 160).all()
    write_still(tmp_path / "still.wad", "MAP01", made)
    wad = Wad(tmp_path / "still.wad")
    assert wad.maps() == ["MAP01"]
    assert wad.map("MAP01") == made
    with pytest.raises(MagbenchError, match="has no map 'MAP02'"):
        wad.map("MAP02")


def test_one_stands_where_there_is_room(tmp_path: Path) -> None:
    ground = Ground(two_rooms())
    assert ground.stands(200, 200) and ground.stands(600, 200)
    assert ground.stands(400, 200)  # a step of 16 is no wall
    assert not ground.stands(10, 200) and not ground.stands(200, 395) and not ground.stands(-50, 200)
    assert ground.floor[ground.cell(600, 200)] == 16
    start, end = ground.cell(100, 100), ground.cell(700, 300)
    length, before = ground.reach(start, 1000)
    assert np.hypot(600, 200) / 16 <= length[end] < 1.2 * np.hypot(600, 200) / 16
    way = ground.way(before, end)
    assert np.hypot(*np.diff(way[:, :2], axis=0).T).max() <= 16 * 2**0.5 + 1e-9
    assert len(ground.largest()) == ground.free.sum()


def test_a_turn_turns_and_comes_back_to_the_bit() -> None:
    place = Place.of(two_rooms(), np.random.default_rng(0))
    poses = camera_path("turn", "medium", place, np.random.default_rng(1))
    assert poses is not None and poses.shape == (FRAMES, 5)
    assert np.array_equal(poses[HALF:], poses[HALF - 2 :: -1])
    turned = abs((poses[HALF - 1, 3] - poses[0, 3] + 180) % 360 - 180)
    assert TURNS["medium"][0] <= turned <= TURNS["medium"][1]
    assert (poses[:, 2] - EYE == place.ground.floor[place.ground.cell(*poses[0, :2])]).all()
    assert np.array_equal(on_lattice(poses), poses)


def test_tracks() -> None:
    line = np.column_stack([np.arange(50.0), 2 * np.arange(50.0)])
    np.testing.assert_allclose(smooth(line, 4), line, atol=1e-9)  # a line stays one, ends included
    stairs = np.repeat([0.0, 16.0, 32.0], 30)
    assert (level(stairs, 9, 3) >= stairs - 1e-9).all()
    assert ease(5).tolist() == [0, 0.15625, 0.5, 0.84375, 1]
