"""Numbers from optical flow: how fast, as fast as before, how evenly. See :mod:`magbench.quality.flow`."""

from __future__ import annotations

import math

from magbench.quality.flow import Motion
from magbench.quality.footage import Footage

STILL = 0.05
"""Pixels a frame below which nothing moves: the flow's own error."""


def motion(footage: Footage) -> float | None:
    """Mean length of the flow in pixels a frame, over pixels, then frames."""
    return _speed(footage.motion)


def motion_share(footage: Footage) -> float | None:
    """`motion` in diagonals of the frame a frame, to compare sizes."""
    speed = _speed(footage.motion)
    return None if speed is None else speed / math.hypot(*footage.frames.shape[1:3])


def motion_match(footage: Footage) -> float | None:
    """How well the return keeps the camera's pace: the ratio of its `motion` to that of the last given frames,
    or its inverse, whichever is below 1."""
    speed, before = _speed(footage.motion), _speed(footage.given.motion)
    if speed is None or before is None or before < STILL:
        return None
    return min(speed / before, before / speed) if speed else 0.0


def motion_smoothness(footage: Footage) -> float | None:
    """1 - sum |v' - v| / sum (|v'| + |v|), v and v' the flow of a pixel before and after a frame; 0 to 1.

    1: every pixel goes on as it moved. 0: it stops and starts, or turns round, at every frame.
    """
    moves = footage.motion
    if moves is None or not moves.believed or footage.frames.shape[0] < 3 or moves.speed.mean() < STILL:
        return None
    return 1 - float(moves.turn.sum() / moves.reach.sum()) if moves.reach.any() else None


def _speed(moves: Motion | None) -> float | None:
    return float(moves.speed.mean()) if moves is not None and moves.believed else None
