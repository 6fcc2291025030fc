"""A sheet for the eye: each frame of a return beside the earlier frame that shows its place, doubtful pairs marked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from magbench.core.files import written

Colour = tuple[int, int, int]

TILE = 192
"""Pixels of a picture's longer side."""
COLUMNS = 3
BAR = 22
"""Pixels of the line of text under a pair."""
SAME, DOUBT, NEW = (46, 125, 50), (230, 126, 34), (120, 120, 120)
"""Colours of pairs of one place, of doubtful ones, and of frames that show what was not seen."""
DOUBTFUL = (0.35, 0.65)
"""Shares that may as well lie on the other side of a half."""


def verdict(share: float, confidence: float) -> tuple[str, Colour]:
    """A word and a colour for a pair."""
    if confidence == 0 or share < DOUBTFUL[0]:
        return "new", NEW
    if share < DOUBTFUL[1] or confidence < 0.5:
        return "doubtful", DOUBT
    return "same", SAME


def sheet(video: NDArray[np.uint8], pairs: Sequence[tuple[int, int, float, float]], turn: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. ``pairs``: frame, earlier frame, share and confidence."""
    scale = TILE / max(video.shape[1:3])
    width, height = (max(1, round(side * scale)) for side in (video.shape[2], video.shape[1]))
    cell_width, cell_height = 2 * width + 12, height + BAR + 10
    rows = -(-len(pairs) // COLUMNS)
    page = np.full((rows * cell_height + 34, COLUMNS * cell_width + 8, 3), 255, np.uint8)
    _write(page, f"turn at frame {turn}; left: the return, right: the given frame that shows most of it", (8, 22))
    for number, (frame, earlier, share, confidence) in enumerate(pairs):
        top, left = 34 + number // COLUMNS * cell_height, 4 + number % COLUMNS * cell_width
        word, colour = verdict(share, confidence)
        cv2.rectangle(page, (left, top), (left + 2 * width + 7, top + height + 5), colour, -1)
        for place, which in enumerate((frame, earlier)):
            small = cv2.resize(video[which], (width, height), interpolation=cv2.INTER_AREA)
            page[top + 3 : top + 3 + height, left + 3 + place * (width + 2) :][:, :width] = small
        _write(page, f"{frame} <- {earlier}  {share:.0%}  {word}", (left + 2, top + height + BAR - 1), colour)
    return page


def write_sheet(
    path: Path, video: NDArray[np.uint8], pairs: Sequence[tuple[int, int, float, float]], turn: int
) -> None:
    """Write the sheet as PNG; its folder is made."""
    done, data = cv2.imencode(".png", sheet(video, pairs, turn)[..., ::-1])
    assert done
    with written(path) as half:
        half.write_bytes(data.tobytes())


def _write(page: NDArray[np.uint8], text: str, at: tuple[int, int], colour: Colour = (30, 30, 30)) -> None:
    cv2.putText(page, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)
