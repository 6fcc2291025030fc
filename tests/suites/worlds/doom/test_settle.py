"""Settled frames come back from their file, near to what was drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from magbench.suites.worlds.doom.settle import read_settled, settled, write_settled


def test_a_file_gives_the_settled_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    smooth = np.linspace(20, 230, 48)[None, None, :, None] + rng.uniform(-9, 9, (5, 32, 1, 3))
    frames = smooth.astype(np.uint8)
    write_settled(tmp_path / "a.mkv", frames, 16)
    assert np.array_equal(read_settled(tmp_path / "a.mkv"), settled(frames))


def test_grey_stays_grey_and_colours_stay_near() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3).repeat(2, axis=1).repeat(2, axis=2)
    found = settled(grey).astype(int)
    assert (found[..., 0] == found[..., 1]).all() and (found[..., 1] == found[..., 2]).all()
    assert np.abs(found - grey).max() <= 2
    rng = np.random.default_rng(1)
    flat = rng.integers(40, 216, (20, 1, 1, 3)).astype(np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    assert np.abs(settled(flat).astype(int) - flat).max() <= 7
