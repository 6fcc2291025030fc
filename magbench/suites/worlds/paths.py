"""Camera paths that leave a place and come back, and the exact map from each frame to the earlier one it repeats.

A camera is three numbers: x and y of the view's centre, in view widths at scale 1, and the natural logarithm of the
scale (how many times wider than at scale 1 the view is). A path moves on a *track*: a curve that gives the camera for
every whole position 0, 1, 2, ...; a *schedule* says at which position each frame stands. Frames at the same position
have the same camera to the last bit, so the revisit map is exact by construction, and is computed from the cameras.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import NO_REVISIT

Cameras = NDArray[np.float64]
"""(T, 3) float64: x, y, log-scale."""

KINDS = ("pan", "tilt", "diagonal", "zoom", "loop", "double", "speed")
SPEEDS = {"slow": 0.11, "medium": 0.24, "fast": 0.48}
"""View widths that the camera moves from one frame to the next."""

JITTER = 0.12
"""Each clip's speed differs from its class by up to this fraction."""


def camera_path(kind: str, speed: str, rng: np.random.Generator, *, switch: int, frames: int) -> Cameras:
    """A camera path of ``frames`` frames whose return begins at frame ``switch``.

    Args:
        kind: one of ``KINDS``. ``pan``, ``tilt``, ``diagonal``: out along a slightly curved line and back.
            ``zoom``: out along a line while the view widens or narrows, and back. ``loop``: a lap of a closed curve,
            then the same lap again. ``double``: out and half of the way back before the switch, then back to the
            start and out again. ``speed``: out, and back at half or at twice the speed.
        speed: one of ``SPEEDS``.
        rng: decides start, direction, bends and jitter.
        switch: frames of context.
        frames: all frames.
    """
    step = SPEEDS[speed] * rng.uniform(1 - JITTER, 1 + JITTER)
    positions = schedule(kind, rng, switch, frames)
    cameras = _TRACKS.get(kind, _diagonal)(positions, step, switch, rng)
    cameras[:, :2] += rng.uniform(0, 16, 2)
    return cameras


def revisits(cameras: Cameras) -> NDArray[np.int64]:
    """(T,) int64: for each frame the latest earlier frame with the same camera, or ``NO_REVISIT``."""
    result = np.full(len(cameras), NO_REVISIT, np.int64)
    last: dict[bytes, int] = {}
    for frame, camera in enumerate(cameras):
        view = camera.tobytes()
        result[frame] = last.get(view, NO_REVISIT)
        last[view] = frame
    return result


def schedule(kind: str, rng: np.random.Generator, switch: int, frames: int) -> NDArray[np.float64]:
    """(T,) position of each frame on its track, in steps."""
    frame = np.arange(frames)
    back = frame - switch
    if kind == "loop":
        return (frame % switch).astype(np.float64)
    if kind == "double":
        leg = 2 * switch // 3
        return np.minimum(frame % (2 * leg), 2 * leg - 1 - frame % (2 * leg)).astype(np.float64)
    if kind == "speed":
        rate = rng.choice([0.5, 2.0])
        travelled = np.abs(switch - 1 - (back + 1) * rate)
        return np.where(frame < switch, frame, travelled).astype(np.float64)
    return np.where(frame < switch, frame, np.abs(switch - 1 - back)).astype(np.float64)


def _line(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator, angle: float) -> Cameras:
    """A line in direction ``angle`` (radians) with a slow bend across it."""
    along = positions * step
    bend = rng.uniform(-0.35, 0.35) * np.sin(positions * (math.pi / switch) * rng.uniform(0.5, 2.0))
    x = along * math.cos(angle) - bend * math.sin(angle)
    y = along * math.sin(angle) + bend * math.cos(angle)
    scale = np.full_like(along, rng.uniform(-0.15, 0.15))
    return np.stack([x, y, scale], axis=1)


def _pan(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator) -> Cameras:
    return _line(positions, step, switch, rng, rng.choice([0.0, math.pi]))


def _tilt(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator) -> Cameras:
    return _line(positions, step, switch, rng, rng.choice([0.5, 1.5]) * math.pi)


def _diagonal(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator) -> Cameras:
    return _line(positions, step, switch, rng, rng.uniform(0, 2 * math.pi))


def _zoom(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator) -> Cameras:
    """A line along which the view widens or narrows by 0.6 to 0.9 (natural logarithm)."""
    cameras = _line(positions, step, switch, rng, rng.uniform(0, 2 * math.pi))
    sweep = rng.uniform(0.6, 0.9) * rng.choice([-1.0, 1.0])
    cameras[:, 2] += sweep * (positions / (switch - 1) - 0.5)
    return cameras


def _loop(positions: NDArray[np.float64], step: float, switch: int, rng: np.random.Generator) -> Cameras:
    """A lap of ``switch`` steps around a circle."""
    radius = step * switch / (2 * math.pi)
    turn = rng.choice([-1.0, 1.0])
    angle = rng.uniform(0, 2 * math.pi) + turn * positions * (2 * math.pi / switch)
    scale = np.full_like(angle, rng.uniform(-0.15, 0.15))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), scale], axis=1)


_TRACKS: dict[str, Callable[[NDArray[np.float64], float, int, np.random.Generator], Cameras]] = {
    "pan": _pan,
    "tilt": _tilt,
    "diagonal": _diagonal,
    "zoom": _zoom,
    "loop": _loop,
}
