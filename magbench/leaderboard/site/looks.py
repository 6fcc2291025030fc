"""A class for the colour of each model: the colour that it has in every plot of a report, light and dark."""

from __future__ import annotations

from collections.abc import Iterable

from magbench.render.theme import HOUSE, SPARE, looks

PALETTE = tuple(dict.fromkeys((look.light, look.dark) for look in (*HOUSE.values(), *SPARE)))
"""(light, dark) of each class ``look0``, ``look1``, ..."""


def classes(labels: Iterable[str]) -> dict[str, str]:
    """Label -> its classes."""
    return {
        label: f"look look{PALETTE.index((look.light, look.dark))}" for label, look in sorted(looks(labels).items())
    }


def style() -> str:
    """The style sheet of the classes."""
    light = "".join(f".look{i} {{ --mark: {colours[0]}; }}\n" for i, colours in enumerate(PALETTE))
    dark = "".join(f"  .look{i} {{ --mark: {colours[1]}; }}\n" for i, colours in enumerate(PALETTE))
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"
