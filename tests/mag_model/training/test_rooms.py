"""Rooms to train on: drawn from training maps alone, and told with the camera that turned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mag_model.nano import presets
from mag_model.nano.camera import on_plane
from mag_model.training import loop, rooms, stages
from mag_model.training.data import ClipShape, draw_batch
from mag_model.training.rooms import VIEWS, Scenery, draw_turns, load_rooms
from magbench.core.errors import MagbenchError
from magbench.core.progress import Quiet
from magbench.suites.worlds.canvas import CANVAS
from magbench.suites.worlds.doom.camera import SCREENS
from magbench.suites.worlds.doom.film import film
from magbench.suites.worlds.doom.maps import SPLITS

SMALL = (8, 12)
LEFT, RIGHT = 190, 200
"""Marks of the two sides of a frame: no number of a view."""


def numbered(places: int) -> Tensor:
    """(places, VIEWS, 3, h, w): the number of the view in the middle of each frame, a mark on either side."""
    number = torch.arange(VIEWS, dtype=torch.uint8)[None, :, None, None, None]
    pool = number.expand(places, -1, 3, *SMALL).clone()
    pool[..., 0], pool[..., -1] = LEFT, RIGHT
    return pool


@pytest.mark.parametrize("span", [None, 16])
def test_the_camera_that_is_told_is_the_one_that_turned(span: int | None) -> None:
    lens, (width, height) = torch.from_numpy(SCREENS["96x64"].intrinsics()), SCREENS["96x64"].size
    batch = draw_turns(numbered(3), ClipShape(8, 40, span=span), 3, np.random.default_rng(0))
    assert batch.frames.shape == (40, 24, 3, *SMALL)
    mirrored = 0
    for frames, pose in zip((255 * batch.frames).round(), batch.pose, strict=True):
        number, side = frames[:, 0, 0, 6], int(frames[0, 0, 0, 0])
        assert side in (LEFT, RIGHT)
        mirrored += side == RIGHT
        stands = torch.zeros(24, 5, dtype=torch.float64)
        stands[:, 3] = number.double() * 360 / VIEWS
        across = on_plane(stands, lens, (height, width))[:, 0] * (-1 if side == RIGHT else 1)
        torch.testing.assert_close(pose[:, 0] - pose[0, 0], across - across[0])
        assert torch.equal(pose[:, 1:], pose[:1, 1:].expand(24, -1))
    assert 10 < mirrored < 30


def test_a_clip_comes_back_to_what_it_showed() -> None:
    batch = draw_turns(numbered(1), ClipShape(16, 20), 3, np.random.default_rng(1))
    best = batch.shown[:, 24:].amax(dim=1)
    assert float(best.min()) > 0.9  # at twice the speed it may pass a step beside what it showed
    assert int((best == 1).sum()) > 15
    assert bool((batch.shown[:, :3] == 0).all())


def test_half_of_the_batches_show_rooms() -> None:
    canvases = torch.zeros(1, 3, CANVAS, CANVAS, dtype=torch.uint8)
    scenery = Scenery(canvases, (64, 96), torch.ones(1, VIEWS, 3, 64, 96, dtype=torch.uint8))
    shown = [scenery.draw(ClipShape(2, 1), 3, np.random.default_rng(seed)).frames for seed in range(40)]
    assert {tuple(frames.shape) for frames in shown} == {(1, 6, 3, 64, 96)}
    assert 10 < sum(float(frames.max()) == pytest.approx(1 / 255) for frames in shown) < 30


def test_canvases_of_a_wide_view_are_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that never comes back shows nothing twice: the canvas is as many views wide as one of small views."""
    pool = torch.arange(20, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, CANVAS, CANVAS)
    batch = draw_batch(pool, ClipShape(16, 8), 3, np.random.default_rng(0), (64, 96))
    assert batch.frames.shape == (8, 48, 3, 64, 96)
    assert any(len(frames.unique()) > 1 for frames in batch.frames)


def test_rooms_are_views_of_training_maps_all_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "STEP", 45)
    monkeypatch.setattr(rooms, "VIEWS", 8)
    filmed = []
    real = rooms.Camera

    class Seen(real):  # type: ignore[misc, valid-type]
        def __init__(self, name: str, screen: object) -> None:
            super().__init__(name, screen)
            self.name = name

        def frame(self, pose: np.ndarray) -> np.ndarray:
            filmed.append((self.name, pose))
            return np.asarray(super().frame(pose))

    monkeypatch.setattr(rooms, "Camera", Seen)
    monkeypatch.setitem(SPLITS, "train", SPLITS["train"][:1])
    drawn = load_rooms(tmp_path, 1, (64, 96), Quiet())
    assert drawn.shape == (1, 8, 3, 64, 96)
    names, poses = {name for name, _ in filmed}, np.stack([pose for _, pose in filmed[-8:]])
    assert names == set(SPLITS["train"])
    assert poses[:, 3].tolist() == list(range(0, 360, 45))
    assert (poses[:, :3] == poses[0, :3]).all()
    assert np.array_equal(drawn[0].permute(0, 2, 3, 1).numpy(), film(SPLITS["train"][0], SCREENS["96x64"], poses))
    monkeypatch.setattr(rooms, "_rooms", lambda *given: pytest.fail("drawn again"))
    assert torch.equal(load_rooms(tmp_path, 1, (64, 96), Quiet()), drawn)
    with pytest.raises(MagbenchError, match="rooms are drawn at 96x64 or 832x480, not at 32x32"):
        load_rooms(tmp_path, 1, (32, 32), Quiet())


def test_a_preset_with_rooms_is_trained_at_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted or not, with frames of another size than development clips have, which are not asked."""
    nano = presets.PRESETS["nano"]
    spec = replace(nano.backbone, dim=48, heads=2, hidden=48, layers=2, channels=8, grid=(2, 3))
    preset = replace(nano, name="roomy", backbone=spec, rooms=1)
    monkeypatch.setitem(presets.PRESETS, "roomy", preset)
    monkeypatch.setattr(loop, "load_rooms", lambda *given: torch.ones(1, VIEWS, 3, *preset.size, dtype=torch.uint8))
    shape = ClipShape(blocks=2, batch=2)
    base = replace(stages.STAGES["base"], cycles=(stages.Cycle(1e-3, (stages.Phase(4, shape),)),))
    monkeypatch.setattr(loop, "evaluate", lambda *given: pytest.fail("asked"))
    made = loop.train(base, preset, tmp_path / "one", scenes=1)
    assert made is not None
    assert loop.train(base, preset, tmp_path / "two", scenes=1, minutes=1e-9) is None
    again = loop.train(base, preset, tmp_path / "two", scenes=1)
    assert again is not None
    assert again.read_bytes() == made.read_bytes()
