"""What a memory needs to know of space: how much of a view a held frame shows, and what it looks like from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.spatial.held_view import Depth, HeldView, Image, Mask


@dataclass(frozen=True, eq=False)
class Seen:
    """A held frame, seen from another camera.

    Attributes:
        known: the pixels that the held frame says something of; the others of ``image`` mean nothing.
        depth: from the other camera, or None.
    """

    image: Image
    known: Mask
    depth: Depth | None


CELLS = 16
"""Cells across and down of a view in which overlap is counted."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """What n held frames show of a view.

    Attributes:
        cells: (n, CELLS * CELLS) bool, the cells of the view that each shows.
        shift: (n,) how far away its camera is: mean shift of the picture in frame widths, or a like measure.
    """

    cells: NDArray[np.bool_]
    shift: NDArray[np.float64]

    @property
    def overlap(self) -> NDArray[np.float64]:
        """(n,) share of the view that each shows."""
        return self.cells.mean(axis=1)


class Scene(Protocol):
    """A kind of world and of camera."""

    def coverage(self, held: Sequence[HeldView], pose: NDArray[np.float64]) -> Coverage:
        """What each held frame shows of the view from ``pose`` (P,)."""
        ...

    def seen_from(self, view: HeldView, pose: NDArray[np.float64]) -> Seen:
        """A held frame as it looks from ``pose`` (P,)."""
        ...
