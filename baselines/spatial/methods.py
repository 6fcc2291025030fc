"""Three ways to answer from held frames: show one, warp one, or fuse all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from baselines.spatial.held_view import HeldView
from baselines.spatial.holes import inpainted
from baselines.spatial.scene import Coverage, Scene, Seen

HALF = 0.5
"""Overlap from which a frame that was given goes before all that were made: those know nothing more."""
NEARER = 0.1
"""Overlap that a shift of the picture by its width is worth: among frames that show all, the nearest camera's."""
BEFORE = 0.95
"""What is nearer than this share of another point's depth hides it."""

Method = Callable[[Scene, Sequence[HeldView], NDArray[np.float64]], HeldView]
"""(world, frames held, pose (P,)) -> the frame that is shown there."""


def nearest_view(scene: Scene, held: Sequence[HeldView], pose: NDArray[np.float64]) -> HeldView:
    """The held frame that overlaps the asked view most, as it is."""
    return replace(held[_best(scene.coverage(held, pose), held)], given=False)


def warp(scene: Scene, held: Sequence[HeldView], pose: NDArray[np.float64]) -> HeldView:
    """The held frame that overlaps the asked view most, warped there."""
    view = held[_best(scene.coverage(held, pose), held)]
    return _made(scene.seen_from(view, pose), pose, view)


def point_cloud(scene: Scene, held: Sequence[HeldView], pose: NDArray[np.float64]) -> HeldView:
    """Every held frame that adds to the asked view, warped there and fused: what is nearest is seen."""
    coverage = scene.coverage(held, pose)
    best = _best(coverage, held)
    fused, left = scene.seen_from(held[best], pose), ~coverage.cells[best]
    while (adds := (coverage.cells & left).sum(axis=1)).any():
        fused = _over(fused, scene.seen_from(held[int(adds.argmax())], pose))
        left &= ~coverage.cells[int(adds.argmax())]
    return _made(fused, pose, held[best])


METHODS: dict[str, Method] = {"nearest_view": nearest_view, "warp": warp, "point_cloud": point_cloud}


def _best(coverage: Coverage, held: Sequence[HeldView]) -> int:
    worth = coverage.overlap - NEARER * coverage.shift
    trusted = np.array([view.given for view in held]) & (coverage.overlap >= HALF)
    return int(np.where(trusted, worth + 1, worth).argmax())


def _over(first: Seen, second: Seen) -> Seen:
    """Two views from one camera, fused; where both know, the nearer surface, else the first."""
    taken = second.known & ~first.known
    if first.depth is None or second.depth is None:
        depth = None
    else:
        taken |= second.known & (second.depth < BEFORE * first.depth)
        depth = np.where(taken, second.depth, first.depth)
    image = np.where(taken[..., None], second.image, first.image)
    return Seen(image, first.known | second.known, depth)


def _made(seen: Seen, pose: NDArray[np.float64], like: HeldView) -> HeldView:
    return HeldView(inpainted(seen.image, seen.known, like.image), pose, seen.known, seen.depth, given=False)
