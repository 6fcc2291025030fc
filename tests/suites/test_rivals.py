"""Rooms that look alike from the way back, on a straight path whose overlap is plain arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.find_return import STEP, Seen, find_turn
from magbench.suites.rivals import outdone

OUT, ROOM = 18, 1.8
"""Frames looked at on the way out, 0.2 views apart; the distance, in views, between the rooms that look alike."""
FOUND, COPY = 90, 25
"""Matches where the whole view is shared: of the place itself, and of the one that looks like it."""


def apart() -> NDArray[np.float64]:
    """(n, n) way from one frame's place to another's: out, and back a little faster."""
    frame = np.arange(2 * OUT - 4)
    place = 0.2 * np.where(frame <= OUT, frame, OUT - 1.1 * (frame - OUT))
    return np.abs(place[:, None] - place)


def looked() -> tuple[Seen, NDArray[np.bool_]]:
    """What a matcher says that takes one room for the other on the way back, and (n, n) where it is right."""
    way, back = apart(), np.tril(np.ones(apart().shape), -1)
    own = np.clip(1 - way, 0, 1) * back
    like = np.clip(1 - np.abs(way - ROOM), 0, 1) * back
    like[: OUT + 1] = 0
    like[:, OUT + 1 :] = 0
    shares = np.maximum(own, like)
    matches = np.where(own >= like, FOUND * own, COPY * like).astype(int)
    confidence = (matches > 0).astype(float)
    return Seen(STEP * np.arange(len(way)), shares, shares, confidence, matches), (own >= like) & (own > 0)


def test_the_copy_of_a_room_gives_way_to_the_room() -> None:
    seen, right = looked()
    lost = outdone(seen.shares, seen.back, seen.matches, 2.0)
    filled = seen.shares >= 0.5
    returned = np.arange(len(right)) > OUT + 6  # these have seen both rooms
    assert not (lost & right & filled).any()
    wrong = ~right & filled & returned[:, None]
    assert wrong.sum() > 20
    assert (lost & wrong).sum() / wrong.sum() > 0.5


def test_the_turn_is_found_between_rooms_that_look_alike() -> None:
    seen, _ = looked()
    assert abs(find_turn(seen) - STEP * OUT) <= 3


def test_without_a_rival_that_is_better_by_far_nothing_is_lost() -> None:
    seen, _ = looked()
    assert not outdone(seen.shares, seen.back, np.where(seen.shares > 0, 40, 0), 2.0).any()
    assert not outdone(np.where(seen.shares > 0, 0.5, 0), seen.back, seen.matches, 2.0).any()
