"""How plots look, light and dark: one colour and marker a model in every plot, and one way to write the files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE, SUBTITLE, AXIS, TICK, LABEL, SMALL = 15.0, 10.0, 11.5, 11.0, 11.5, 10.0
"""Sizes of text in points; a figure is 9 inches wide, and still legible at half its width in pixels."""

LINE, BAND = 2.4, 0.17
"""Width of a model's curve in points, and opacity of the interval around it."""


@dataclass(frozen=True)
class Look:
    """How one model is drawn: its colours (hex) on a light and on a dark ground, and its marker."""

    light: str
    dark: str
    marker: str


@dataclass(frozen=True)
class Theme:
    """Colours (hex) of everything that is not a model.

    Attributes:
        suffix: what is added to the name of a file in this theme.
        ground: behind everything.
        ink: titles and names of axes.
        quiet: subtitles, ticks, notes.
        reference: curves and names of references.
        grid, spine: lines of the axes.
        fill: bars in the background.
    """

    suffix: str
    ground: str
    ink: str
    quiet: str
    reference: str
    grid: str
    spine: str
    fill: str

    def colour(self, look: Look) -> str:
        """The model's colour that is legible on this ground."""
        return look.dark if self is DARK else look.light


LIGHT = Theme("", "#ffffff", "#1f2328", "#59636e", "#6e7781", "#e6e8eb", "#9aa1a9", "#c3ccd4")
DARK = Theme("_dark", "#0d1117", "#f0f3f6", "#a5aeb8", "#939ca6", "#242a33", "#59626d", "#39424e")
"""The ground is that of GitHub's dark pages."""

HOUSE = {
    "full_history": Look("#0067a8", "#58b0f0", "o"),
    "mag": Look("#d04f00", "#ff8142", "D"),
    "strided": Look("#00805d", "#35cfa2", "s"),
    "window_sink": Look("#a87000", "#f2b632", "^"),
    "window": Look("#b4548a", "#eda3cd", "v"),
}
"""Colours after Okabe and Ito, told apart by colour-blind readers, shifted until text in them is legible."""

_COLOURS = (
    ("#2a86bd", "#86cdf5"),
    ("#000000", "#ffffff"),
    ("#7f3c8d", "#cd97da"),
    ("#7d6029", "#d2b477"),
    ("#5c5c94", "#b0b0e6"),
)
_MARKERS = "P*X<>"

SPARE = tuple(Look(*_COLOURS[i % 5], _MARKERS[(i + i // 5) % 5]) for i in range(25))
"""For other models: each colour with each marker, both of them new from one to the next."""


def looks(models: Iterable[str]) -> dict[str, Look]:
    """Known models keep their colour everywhere; the others take spare ones in the order of their names."""
    names = sorted(set(models))
    strangers = [name for name in names if name not in HOUSE]
    spare = {name: SPARE[i % len(SPARE)] for i, name in enumerate(strangers)}
    return {name: HOUSE[name] if name in HOUSE else spare[name] for name in names}


def new_figure(theme: Theme, width: float, height: float) -> Figure:
    """An empty figure of this size in inches, at 150 dots an inch, without any global plotting state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150, facecolor=theme.ground, layout="constrained")


def dress(axes: Axes, theme: Theme, title: str, subtitle: str, x: str, y: str) -> None:
    """Write the title, a quieter line or two under it and the names of the axes; draw a light grid and no box."""
    beneath = 6 + 1.3 * SUBTITLE * (1 + subtitle.count("\n")) if subtitle else 0
    axes.set_title(title, loc="left", fontsize=TITLE, fontweight="bold", color=theme.ink, pad=6 + beneath)
    axes.annotate(
        subtitle,
        xy=(0, 1),
        xytext=(0, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=SUBTITLE,
        color=theme.quiet,
        va="bottom",
        annotation_clip=False,
    )
    axes.set_xlabel(x, fontsize=AXIS, color=theme.ink)
    axes.set_ylabel(y, fontsize=AXIS, color=theme.ink)
    axes.grid(True, color=theme.grid, linewidth=0.8)
    dress_frame(axes, theme, ("left", "bottom"))


def dress_frame(axes: Axes, theme: Theme, shown: Iterable[str]) -> None:
    """Colour the ground, the ticks and the sides that are shown."""
    axes.set_facecolor(theme.ground)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=TICK, color=theme.spine, labelcolor=theme.quiet, length=3)
    for side, spine in axes.spines.items():
        spine.set_visible(side in shown)
        spine.set_color(theme.spine)


def variants(path: Path) -> tuple[Path, ...]:
    """The files of one plot: ``x.png``, ``x.svg``, ``x_dark.png`` and ``x_dark.svg`` for ``x.png``."""
    return tuple(
        path.with_name(f"{path.stem}{theme.suffix}{kind}") for theme in (LIGHT, DARK) for kind in (".png", ".svg")
    )


def save(draw: Callable[[Theme], Figure], path: Path) -> None:
    """Write the four :func:`variants` of ``path``; the same figure gives the same bytes, for there is no date in them.

    draw: makes the figure in a theme; called once for each, apart from whatever style the process uses elsewhere.
    Text in SVG is drawn as outlines, so that it looks alike where the font is missing.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for theme in (LIGHT, DARK):
        figure, stem = _save_png(draw, theme, path), f"{path.stem}{theme.suffix}"
        with _plain(path):
            figure.set_layout_engine("none")  # everything has its place: to find it again takes as long as to draw
            nameless = {"Date": None, "Creator": None, "Format": None, "Type": None}
            svg = path.with_name(f"{stem}.svg")
            figure.savefig(svg, format="svg", metadata=nameless)
            round_paths(svg)


def save_light(draw: Callable[[Theme], Figure], path: Path) -> None:
    """Write one PNG on a light ground, for plots of which four variants are not worth their bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _save_png(draw, LIGHT, path)


def _plain(path: Path) -> AbstractContextManager[None]:
    """The style of plots, apart from whatever the process uses elsewhere."""
    from matplotlib import style

    return style.context(["default", {"svg.hashsalt": path.stem, "svg.fonttype": "path"}])


def _save_png(draw: Callable[[Theme], Figure], theme: Theme, path: Path) -> Figure:
    """Write the theme's PNG; the figure."""
    with _plain(path):
        figure = draw(theme)
        png = path.with_name(f"{path.stem}{theme.suffix}.png")
        write_png(figure, png)
    return figure


def write_png(figure: Figure, png: Path) -> None:
    """Write a figure in its 256 most frequent colours, the nearest for all others: a third of the bytes."""
    import numpy as np
    import pandas as pd
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    packed = pixels[..., :3].astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    place, found = pd.factorize(packed.ravel(), sort=True)
    there, count = np.asarray(found), np.bincount(place)
    colours = there[:, None] >> np.array([16, 8, 0]) & 255
    kept = colours[np.argsort(-count, kind="stable")[:256]]
    nearest = ((colours[:, None] - kept) ** 2).sum(axis=-1).argmin(axis=-1).astype(np.uint8)
    reduced = Image.fromarray(nearest[place].reshape(packed.shape))
    reduced.putpalette(kept.astype(np.uint8).tobytes())
    reduced.save(png, format="PNG", optimize=True)


def round_paths(svg: Path) -> None:
    """Write an SVG again with coordinates of paths in hundredths of a point, and each path on one line."""

    def rounded(path: re.Match[str]) -> str:
        numbers = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), path[0])
        return re.sub(r"\s+", " ", numbers)

    text = re.sub(r'(?<=\bd=")[^"]*', rounded, svg.read_text(encoding="utf-8"))
    svg.write_text(text, encoding="utf-8", newline="\n")


def remove(path: Path) -> None:
    """Delete the four :func:`variants` of ``path``, as far as they are there."""
    for file in variants(path):
        file.unlink(missing_ok=True)


def picture(file: str, about: str) -> str:
    """Markdown that shows ``x.svg`` on a light page and ``x_dark.svg`` on a dark one, on GitHub and elsewhere.

    Args:
        file: the light file, relative to the page; PNG or SVG.
        about: what it shows, for those who cannot see it.
    """
    from html import escape

    stem, dot, kind = file.rpartition(".")
    dark, alt = escape(f"{stem}{DARK.suffix}{dot}{kind}", quote=True), escape(about, quote=True)
    source = f'  <source media="(prefers-color-scheme: dark)" srcset="{dark}">'
    return f'<picture>\n{source}\n  <img alt="{alt}" src="{escape(file, quote=True)}">\n</picture>\n'
