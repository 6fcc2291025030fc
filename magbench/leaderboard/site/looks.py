"""A class for the colour of each model: the colour that it has in every plot of a report, light and dark."""

from __future__ import annotations

from collections.abc import Iterable

from magbench.render.theme import DARK, HOUSE, LIGHT, SPARE, looks

PALETTE = tuple(dict.fromkeys((look.light, look.dark) for look in (*HOUSE.values(), *SPARE)))
"""(light, dark) of each class ``look0``, ``look1``, ..."""

CONTRAST = 4.5
"""Of text and what is behind it, at least: WCAG 2.2, AA."""


def classes(labels: Iterable[str]) -> dict[str, str]:
    """Label -> its classes."""
    return {
        label: f"look look{PALETTE.index((look.light, look.dark))}" for label, look in sorted(looks(labels).items())
    }


def style() -> str:
    """The style sheet of the classes; a colour that is too faint for text is made stronger."""
    light = "".join(f".look{i} {{ --mark: {legible(pair[0], LIGHT.ground)}; }}\n" for i, pair in enumerate(PALETTE))
    dark = "".join(f"  .look{i} {{ --mark: {legible(pair[1], DARK.ground)}; }}\n" for i, pair in enumerate(PALETTE))
    return f"{light}@media (prefers-color-scheme: dark) {{\n{dark}}}\n"


def legible(colour: str, ground: str) -> str:
    """The colour (hex), mixed with black or white until its contrast with the ground is ``CONTRAST``."""
    away = 255 if luminance(ground) < 0.5 else 0
    start = _channels(colour)
    for share in range(0, 101, 2):
        mixed = [round(value + (away - value) * share / 100) for value in start]
        found = "#" + "".join(f"{value:02x}" for value in mixed)
        if contrast(found, ground) >= CONTRAST:
            break
    return found


def contrast(a: str, b: str) -> float:
    """Contrast of two colours (hex), 1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a colour (hex), 0 to 1 (WCAG 2.2)."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in _channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _channels(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
