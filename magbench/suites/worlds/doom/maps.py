"""Which maps of Freedoom are for training, for development and for tests: no map is in two of them."""

from __future__ import annotations

MAPS = (
    *(f"E{episode}M{number}" for episode in range(1, 5) for number in range(1, 10)),
    *(f"MAP{number:02d}" for number in range(1, 33)),
)
"""Freedoom phase 1, then phase 2."""


def _split(name: str) -> str:
    """Every seventh map is for development; of the others, every other one for tests."""
    index = MAPS.index(name)
    if index % 7 == 3:
        return "dev"
    return "test" if index % 2 == 0 else "train"


SPLITS = {split: tuple(name for name in MAPS if _split(name) == split) for split in ("train", "dev", "test")}
