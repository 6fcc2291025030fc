"""A camera that turns on the spot, as one that moves over the plane, against a pinhole's own geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mag_model.nano.camera import on_plane

LENS, SIZE = torch.tensor([24.0, 28.8, 16.0, 16.0]), (32, 32)


def seen(direction: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Pixel (x, y) at which a camera with ``LENS`` sees a direction; yaw to the left, pitch upwards, in degrees."""
    turn, tilt = np.radians([yaw, pitch])
    ahead = np.array([np.cos(turn) * np.cos(tilt), np.sin(turn) * np.cos(tilt), np.sin(tilt)])
    right = np.array([np.sin(turn), -np.cos(turn), 0.0])
    down = np.cross(ahead, right)
    fx, fy, cx, cy = LENS.tolist()
    return np.array(
        [cx + fx * direction @ right / (direction @ ahead), cy + fy * direction @ down / (direction @ ahead)]
    )


@pytest.mark.parametrize(("yaw", "pitch"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)])
def test_a_small_turn_moves_the_middle_as_a_pinhole_does(yaw: float, pitch: float) -> None:
    """What was in the middle is now so many pixels aside: the view went the other way."""
    middle = np.array([1.0, 0.0, 0.0])
    moved = (seen(middle, yaw, pitch) - [16, 16]) / 32
    pose = torch.tensor([[5.0, 6.0, 7.0, 0.0, 0.0], [5.0, 6.0, 7.0, yaw, pitch]])
    found = on_plane(pose, LENS, SIZE)
    assert found[0].tolist() == [0, 0, 0]
    assert found[1, :2].numpy() == pytest.approx(-moved, abs=1e-5)


def test_north_is_crossed_the_near_way_and_a_turn_back_is_the_same_view() -> None:
    yaw = torch.tensor([358.0, 359.0, 0.0, 1.0, 0.0, 359.0, 358.0])
    pose = torch.cat([torch.ones(7, 3), yaw[:, None], torch.zeros(7, 1)], 1)
    across = on_plane(pose, LENS, SIZE)[:, 0]
    assert (across.diff() * torch.tensor([1.0, 1, 1, -1, -1, -1]) < 0).all()
    assert torch.equal(across[:3], across[4:].flip(0))
    assert across.diff().abs().max() < 0.02


def test_a_camera_that_walks_is_refused() -> None:
    pose = torch.zeros(2, 5)
    pose[1, 0] = 1
    with pytest.raises(ValueError, match="walks"):
        on_plane(pose, LENS, SIZE)
