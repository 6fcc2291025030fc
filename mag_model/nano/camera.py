"""From camera numbers to what the backbone reads: world coordinates of each latent cell, as Fourier features."""

from __future__ import annotations

import math

import torch
from torch import Tensor

PLACE_WAVES = tuple(0.4 * 2.0**i for i in range(7))
"""Wavelengths of the features of x and y, in view widths."""
SCALE_WAVES = tuple(0.5 * 2.0**i for i in range(4))
"""Wavelengths of the features of the log-scale."""
PLACE_FEATURES = 4 * len(PLACE_WAVES) + 2 * len(SCALE_WAVES)


def relative(pose: Tensor) -> Tensor:
    """Cameras (B, F, 3) with the first frame's view centre as origin; the scale stays."""
    origin = pose[:, :1].clone()
    origin[..., 2] = 0
    return pose - origin


def on_plane(pose: Tensor, lens: Tensor, size: tuple[int, int]) -> Tensor:
    """Cameras of the plane that come nearest to a camera that turns where it stands.

    A turn moves the middle of a view as a step along the plane does. Away from the middle it does not: what leaves the
    view widens.

    Args:
        pose: (F, 5) x, y, z of the eye, yaw to the left and pitch upwards in degrees, see
            :mod:`magbench.suites.worlds.doom.camera`.
        lens: (4,) fx, fy, cx, cy in pixels of a frame of ``size`` (H, W).
    Returns:
        (F, 3) float64 x and y in view widths and heights, log-scale 0.
    Raises:
        ValueError: the camera leaves its place.
    """
    if bool((pose[:, :3] != pose[:1, :3]).any()):
        raise ValueError("the camera walks")
    steps = torch.remainder(pose[1:, 3].double() - pose[:-1, 3].double() + 180, 360) - 180  # across north, the near way
    yaw = torch.cat([pose[:1, 3].double(), pose[0, 3].double() + steps.cumsum(0)])
    pitch = pose[:, 4].double()
    across, down = (-torch.deg2rad(turn) * lens[i] / size[1 - i] for i, turn in enumerate((yaw, pitch)))
    return torch.stack([across, down, torch.zeros_like(yaw)], 1)


def to_and_fro(frames: int, numbers: int) -> Tensor:
    """(1, frames, numbers) cameras that pan over 20 views and back, again and again: for timing."""
    turn = torch.arange(frames) * 0.25 % 40
    pose = torch.zeros(1, frames, numbers)
    pose[0, :, 0] = torch.minimum(turn, 40 - turn)
    return pose


def place_features(pose: Tensor, grid: tuple[int, int]) -> Tensor:
    """Fourier features of the world coordinates of each latent cell.

    Args:
        pose: (B, F, 3) x, y (view widths at scale 1) and log-scale of the camera.
        grid: rows and columns of cells in a frame.
    Returns:
        (B, F, S, PLACE_FEATURES) float32.
    """
    rows, cols = ((torch.arange(n, device=pose.device) + 0.5) / n - 0.5 for n in grid)
    down, across = torch.meshgrid(rows, cols, indexing="ij")
    x, y, scale = (pose[..., i : i + 1].double() for i in range(3))
    x, y = x + across.flatten() * scale.exp(), y + down.flatten() * scale.exp()
    turns = [axis[..., None] / _waves(PLACE_WAVES, pose) for axis in (x, y)]
    turns.append((scale[..., None] / _waves(SCALE_WAVES, pose)).expand(*x.shape, -1))
    phase = 2 * math.pi * torch.cat(turns, dim=-1)
    return torch.cat([phase.cos(), phase.sin()], dim=-1).float()


def _waves(lengths: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(lengths, dtype=torch.float64, device=like.device)
