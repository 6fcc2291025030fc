"""The way back among rooms that look alike, on a straight path whose overlap is plain arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.way_back import ALIKE, near, places, way_back

OUT = 18
"""Frames looked at on the way out, 0.2 views apart."""


def apart(returns: bool) -> NDArray[np.float64]:
    """(n, n) way from one frame's place to another's: out, and back a little faster, or only out."""
    frame = np.arange(2 * OUT - 2)
    place = 0.2 * np.where((frame <= OUT) | (not returns), frame, OUT - 1.1 * (frame - OUT))
    return np.abs(place[:, None] - place)


def alike(returns: bool, room: float) -> NDArray[np.float64]:
    """(n, n) of rooms that look alike every ``room`` views."""
    way = apart(returns)
    return np.tril(np.clip(1 - np.abs(way - room * np.round(way / room)), 0, 1), -1)


def test_the_chain_begins_at_the_turn_and_leads_back() -> None:
    for room in (1e9, 1.5):
        seen = alike(True, room)
        way = way_back(seen, range(1, len(seen) - 1))
        assert abs(way.first - 1 - OUT) <= 2
        true = OUT - 1.1 * (way.frames - OUT)
        assert np.abs(places(way, seen) - true)[3:].max() < 0.6
        assert near(way, seen).min() > 0.7


def test_rooms_that_look_alike_are_no_way_back() -> None:
    back, on = (way_back(alike(returns, 1.5), range(1, 2 * OUT - 3)) for returns in (True, False))
    assert on.gain < back.gain / 2
    assert np.quantile(near(on, alike(False, 1.5)), 0.1) < 0.65


def test_a_turn_that_somebody_names_is_where_it_begins() -> None:
    seen = alike(True, 1e9)
    assert way_back(seen, [OUT - 4]).first == OUT - 3
    assert way_back(np.zeros((9, 9)), [4]).gain <= 1 - ALIKE
