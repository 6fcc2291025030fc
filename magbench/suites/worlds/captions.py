"""Captions of the procedural worlds: they name colours, texture and kind of shapes, and never where anything is."""

from __future__ import annotations

import numpy as np

from magbench.suites.worlds.canvas import FILLS, SHAPES, Contents, Pixels

COLOURS = {
    "black": (0.1, 0.1, 0.1),
    "grey": (0.5, 0.5, 0.5),
    "white": (0.92, 0.92, 0.92),
    "red": (0.8, 0.15, 0.15),
    "orange": (0.9, 0.55, 0.15),
    "yellow": (0.88, 0.86, 0.2),
    "lime": (0.5, 0.85, 0.2),
    "green": (0.15, 0.55, 0.2),
    "teal": (0.2, 0.75, 0.7),
    "blue": (0.15, 0.25, 0.8),
    "purple": (0.5, 0.15, 0.7),
    "pink": (0.9, 0.4, 0.75),
}
"""Names of colours, and where each lies in RGB."""

VOCABULARY = (*COLOURS, *FILLS, *SHAPES)
"""Every word of a caption that says something."""


def caption(contents: Contents) -> str:
    """A caption: ``black, grey and teal; mostly striped discs``. Colours in the order of ``COLOURS``, each once."""
    *some, last = colour_names(contents.palette)
    shape, fill = np.unravel_index(contents.painted.argmax(), contents.painted.shape)
    named = f"{', '.join(some)} and {last}" if some else last
    return f"{named}; mostly {FILLS[fill]} {SHAPES[shape]}"


def colour_names(palette: Pixels) -> list[str]:
    """The name nearest to each colour of a palette (n, 3)."""
    places = np.array(list(COLOURS.values()))
    nearest = ((palette[:, None] - places) ** 2).sum(axis=-1).argmin(axis=1)
    return [name for number, name in enumerate(COLOURS) if number in nearest]
