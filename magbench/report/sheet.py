"""The contact sheet: the same frames of one return, a row for the truth and one for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.render.theme import INK, looks

ROWS = ("full_history", "mag", "strided", "window")
LEAST_PIXELS = 112
COLUMNS = 10


@dataclass(frozen=True)
class SheetRow:
    """One row: its name, a note under it, and the return's frames (n, H, W, 3) uint8."""

    name: str
    note: str
    frames: NDArray[np.uint8]


def pick_columns(length: int, columns: int = COLUMNS) -> list[int]:
    """Positions in the return, first and last among them, evenly apart."""
    if length <= columns:
        return list(range(length))
    return [round(i * (length - 1) / (columns - 1)) for i in range(columns)]


def enlarge(frame: NDArray[np.uint8], least: int = LEAST_PIXELS) -> NDArray[np.uint8]:
    """(H, W, 3) -> the smallest whole multiple with both sides >= ``least``, smoothly (bicubic)."""
    import cv2

    factor = max(1, -(-least // min(frame.shape[:2])))
    size = (frame.shape[1] * factor, frame.shape[0] * factor)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def draw_sheet(
    rows: Sequence[SheetRow], heads: Sequence[str], far: Sequence[bool], title: str, caption: str, path: Path
) -> None:
    """Write the sheet. ``heads``: when each frame's view was last seen; ``far``: out of window, drawn bold.

    All rows have as many frames as ``heads``; ``COLUMNS`` of them are shown.
    """
    from matplotlib.figure import Figure

    columns = pick_columns(len(heads))
    tiles = [[enlarge(row.frames[i]) for i in columns] for row in rows]
    height, width = tiles[0][0].shape[:2]
    pad, left, top, bottom = 6, 150, 112, 16
    total_w = left + len(columns) * (width + pad) + 12
    total_h = top + len(rows) * (height + pad) + bottom
    dots = 100
    figure = Figure(figsize=(total_w / dots, total_h / dots), dpi=dots, facecolor="white")

    def words(x: float, y: float, text: str, size: float, **style: str) -> None:
        figure.text(x / total_w, 1 - y / total_h, text, fontsize=size, **style)  # type: ignore[arg-type]

    words(12, 12, title, 13, va="top", fontweight="bold", color=INK)
    words(12, 38, caption, 9.5, va="top", color="#555555")
    words(12, top - 8, "view last seen", 9, va="bottom", color="#555555")
    style = looks([row.name for row in rows[1:]])
    for r, row in enumerate(rows):
        y = top + r * (height + pad)
        colour = INK if r == 0 else style[row.name].colour
        words(12, y + height / 2 - 8, row.name, 11, va="center", fontweight="bold", color=colour)
        words(12, y + height / 2 + 11, row.note, 9, va="center", color="#555555")
        for c in range(len(columns)):
            x = left + c * (width + pad)
            box = (x / total_w, 1 - (y + height) / total_h, width / total_w, height / total_h)
            axes = figure.add_axes(box)
            axes.imshow(tiles[r][c], interpolation="none", aspect="auto")
            axes.set_axis_off()
    for c, i in enumerate(columns):
        x = left + c * (width + pad) + width / 2
        weight, colour = ("bold", INK) if far[i] else ("normal", "#888888")
        words(x, top - 8, heads[i], 9, ha="center", va="bottom", fontweight=weight, color=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", metadata={"Software": None})
