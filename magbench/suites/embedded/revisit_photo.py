"""``revisit-photo``: the camera paths of ``revisit-nano`` over photographs, none of which was ever trained on.

Sizes, frame rate, window and kinds of paths are those of ``revisit-nano``, so whatever runs on one runs on the other. A
photograph has borders, where a procedural world wraps around: each path is shifted so that every view lies inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import Clip
from magbench.suites.embedded.revisit_nano import FPS, FRAMES, SWITCH, WINDOW, film
from magbench.suites.embedded_suite import Embedded
from magbench.suites.worlds.canvas import CANVAS, PIXELS_PER_VIEW
from magbench.suites.worlds.paths import KINDS, SPEEDS, Cameras, camera_path, revisits
from magbench.suites.worlds.photographs import PHOTOGRAPHS, load_canvas

NAME = "revisit-photo"
VERSION = 1
SEED = 40_000_000
"""Paths are drawn from here on; no scene of ``revisit-nano`` has such a seed."""

ROUNDS = len(SPEEDS)
"""Clips of each photograph: one at each speed."""

WIDTH = CANVAS / PIXELS_PER_VIEW
"""Side of a photograph, in view widths at scale 1."""

BORDER = 1 / PIXELS_PER_VIEW
"""View widths between a view and the photograph's border: further than the bilinear samples reach."""

CLIPS = {"test": ROUNDS * len(PHOTOGRAPHS)}

DRAWS = 64
"""Paths that are drawn for a clip."""

DIGEST = {"test": "4f9f67918faba7eff69c3c2d36503989b0d6ed8f6b1bc841d1fcd42aae65ed9e"}
"""Digest of the published suite. Another processor's rounding may give another one: see ``registry``."""

LICENCE = "photographs that ship with scikit-image: " + "; ".join(f"{p.name} ({p.credit})" for p in PHOTOGRAPHS)


def clip(_: str, index: int) -> Clip:
    """One clip of ``test``: in each round every photograph once, one further on, so that it meets every speed."""
    photograph = PHOTOGRAPHS[(index + index // len(PHOTOGRAPHS)) % len(PHOTOGRAPHS)]
    kind, speed = KINDS[index % len(KINDS)], list(SPEEDS)[index % len(SPEEDS)]
    canvas = load_canvas(photograph, CANVAS)
    cameras = busiest_path(canvas, kind, speed, np.random.default_rng([SEED, index]))
    return Clip(
        id=f"{index:02d}-{photograph.name}-{kind}-{speed}",
        caption="",
        category=kind,
        speed=speed,
        fps=FPS,
        switch=SWITCH,
        frames=film(canvas, cameras),
        pose=cameras,
        revisit=revisits(cameras),
    )


def busiest_path(canvas: NDArray[np.uint8], kind: str, speed: str, rng: np.random.Generator) -> Cameras:
    """Choose, of ``DRAWS`` paths, the one that shows most: what is plain cannot be remembered.

    What a path shows is measured at its plainest places: the mean of the least fifth of its frames' details.
    """
    detail = _detail(canvas)

    def shown(cameras: Cameras) -> float:
        corner = np.floor((cameras[:, :2] - 0.5) * PIXELS_PER_VIEW).astype(np.int64).clip(0, len(detail) - 1)
        seen = np.sort(detail[corner[:, 1], corner[:, 0]])
        return float(seen[: FRAMES // 5].mean())

    return max((fitting_path(kind, speed, rng) for _ in range(DRAWS)), key=shown)


def _detail(canvas: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[row, column]: variance of the view at scale 1 with its corner there, summed over colours."""
    pixels = canvas.astype(np.int64)
    sums, squares = (_window_sums(values) / PIXELS_PER_VIEW**2 for values in (pixels, pixels**2))
    return (squares - sums**2).sum(axis=2)


def _window_sums(values: NDArray[np.int64]) -> NDArray[np.int64]:
    total = np.pad(values, ((1, 0), (1, 0), (0, 0))).cumsum(axis=0).cumsum(axis=1)
    side = PIXELS_PER_VIEW
    return total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]


def fitting_path(kind: str, speed: str, rng: np.random.Generator) -> Cameras:
    """A path whose views all lie inside the photograph, anywhere there; one that is too long is drawn again."""
    while True:
        cameras = camera_path(kind, speed, rng, switch=SWITCH, frames=FRAMES)
        half = np.exp(cameras[:, 2:]) / 2 + BORDER
        low, high = (cameras[:, :2] - half).min(axis=0), (cameras[:, :2] + half).max(axis=0)
        if (high - low <= WIDTH).all():
            cameras[:, :2] += rng.uniform(-low, WIDTH - high)
            return cameras


SUITE = Embedded(
    name=NAME,
    version=VERSION,
    fps=FPS,
    window=WINDOW,
    licence=LICENCE,
    clip=clip,
    counts=CLIPS,
    digest=DIGEST,
    summary=f"the same paths over {len(PHOTOGRAPHS)} photographs from scikit-image: {ROUNDS * len(PHOTOGRAPHS)} clips",
)
