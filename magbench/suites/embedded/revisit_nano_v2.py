"""``revisit-nano-v2``: the clips of ``revisit-nano`` with captions, and clips that ask for something new.

The first clips have v1's pixels, cameras and revisits; captions are all that is new in them. A clip of category
``explore`` gives a short context; the camera then goes where nothing was shown, and comes back over what the model
made itself. Its true frames are there to compare new content with real unseen views; nobody could know them, so that no
score compares frame with frame.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from magbench.suites.clip import Clip
from magbench.suites.embedded import revisit_nano as v1
from magbench.suites.embedded_suite import Embedded
from magbench.suites.worlds.canvas import draw_canvas
from magbench.suites.worlds.captions import caption
from magbench.suites.worlds.paths import SPEEDS, camera_path, revisits

EXPLORE = "explore"
KINDS = ("pan", "tilt", "diagonal", "zoom")
GIVEN = 12
"""Frames of context of a clip that explores."""
TURN = (GIVEN + v1.FRAMES) // 2
"""Frame at which its camera begins to come back: the last one shows what the first new one showed."""

EXPLORING = {"dev": 12, "test": 24}
"""Clips that explore in each split, after those of v1: every kind of path at every speed, once or twice."""

DIGEST = {
    "dev": "40c81ba4327efcc4b874ec66a8cd13a734b753b4c4e891c9f7039434929b1e9d",
    "test": "e9bbeae4b624c645be99b1190933eee4092198a6cf591645dba7ab8fa15632ba",
}
"""Digest of each split as published. Another processor's rounding may give another one: see ``registry``."""


def clip(split: str, index: int) -> Clip:
    """One clip of ``dev`` or ``test``."""
    known = v1.CLIPS[split]
    return _captioned(split, index) if index < known else _exploring(split, index, index - known)


def _drawn(split: str, index: int) -> tuple[NDArray[np.uint8], str]:
    """The canvas of one scene, and its caption."""
    canvas, contents = draw_canvas(np.random.default_rng(v1.scene_seed(split, index)))
    return canvas, caption(contents)


def _captioned(split: str, index: int) -> Clip:
    plain = v1.clip(split, index)
    same = {field.name: getattr(plain, field.name) for field in fields(plain)}
    return Clip(**same | {"caption": _drawn(split, index)[1]})


def _exploring(split: str, index: int, number: int) -> Clip:
    kind, speed = KINDS[number % len(KINDS)], list(SPEEDS)[number % len(SPEEDS)]
    rng = np.random.default_rng([v1.scene_seed(split, index), 1])
    cameras = camera_path(kind, speed, rng, switch=TURN, frames=v1.FRAMES)
    canvas, told = _drawn(split, index)
    return Clip(
        id=f"{index:02d}-{EXPLORE}-{kind}-{speed}",
        caption=told,
        category=EXPLORE,
        speed=speed,
        fps=v1.FPS,
        switch=GIVEN,
        frames=v1.film(canvas, cameras),
        pose=cameras,
        revisit=revisits(cameras),
    )


SUITE = Embedded(
    name="revisit-nano-v2",
    version=2,
    fps=v1.FPS,
    window=v1.WINDOW,
    licence=v1.LICENCE,
    clip=clip,
    counts={split: v1.CLIPS[split] + EXPLORING[split] for split in EXPLORING},
    digest=DIGEST,
    summary=f"revisit-nano with captions, and {EXPLORING['test']} clips that explore and come back",
)
