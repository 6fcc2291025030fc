"""The contact sheet: the same frames of one return, a row for the truth and one for each model, best first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.models.registry import model_names
from magbench.render.theme import DARK, LIGHT, Theme, looks
from magbench.report.columns import PSNR, column_of
from magbench.report.tables import Table
from magbench.runs.folder import RunFolder
from magbench.runs.generation import open_frames, read_generation
from magbench.runs.records import Record
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.frames import FrameSource

MODELS = 8
"""At most so many models have a row."""

LEAST_PIXELS = 112
COLUMNS = 10

DOTS = 100
"""Dots an inch; sizes below are in dots."""

PAD, TOP, BOTTOM, RULE = 6, 150, 16, 16


@dataclass(frozen=True)
class SheetRow:
    """One row: its name, a note under it, the last given frame (H, W, 3) and the return (n, H, W, 3), uint8."""

    name: str
    note: str
    given: NDArray[np.uint8]
    frames: FrameSource

    def tiles(self, columns: Sequence[int]) -> list[NDArray[np.uint8]]:
        """The last given frame and some of the return, enlarged."""
        return [enlarge(frame) for frame in (self.given, *(self.frames[i : i + 1][0] for i in columns))]


@dataclass(frozen=True)
class Sheet:
    """Everything that is drawn.

    Attributes:
        title, caption: above the frames; the caption may have two lines.
        heads: for each frame of the return, how many frames ago its view was last seen.
        far: for each frame of the return, whether it is out of window; drawn bold.
        rows: the truth first; each return is as long as ``heads``, and ``COLUMNS`` frames of it are shown.
    """

    title: str
    caption: str
    heads: tuple[str, ...]
    far: tuple[bool, ...]
    rows: tuple[SheetRow, ...]


def drawings(
    suite: Suite, folder: RunFolder, clips: Sequence[Clip], table: Table, records: Sequence[Record]
) -> list[Callable[[], None]]:
    """What writes the run's sheet, light and dark: one clip, its truth, and the best models of the table that have it.

    ``clips`` are those of the run. No file is left where no model has a scored video of any of them.
    """
    dark = folder.sheet.with_name(f"{folder.sheet.stem}{DARK.suffix}.png")
    for path in (folder.sheet, dark):
        path.unlink(missing_ok=True)
    here = set(folder.generated_models())  # published models have scores and no videos
    scored = {(r.model, r.clip): r for r in records if r.model in here and is_noted(r)}
    models = chosen([name for name in table.models if any((name, clip.id) in scored for clip in clips)])
    if not models:
        return []
    clip = pick_clip(clips, {clip.id: sum((model, clip.id) in scored for model in models) for clip in clips})
    given = clip.part(clip.switch - 1, clip.switch)[:][0]
    rows = [SheetRow("ground truth", "", given, clip.part(clip.switch))]
    for model in models:
        if (model, clip.id) in scored:
            value = scored[model, clip.id].value
            frames = _frames(folder.generation(model, clip.id, 0))
            rows.append(SheetRow(model, "" if value is None else f"{value:.1f} dB", given, frames))
    more = len(table.models) - (len(rows) - 1)
    best = f" {len(rows) - 1} of {len(table.models)} models: those of your own, then the best." if more else ""
    content = Sheet(
        f"The camera comes back: who still knows the place?   {suite.name} v{suite.version}, {suite.split}",
        f"Frames of one return, clip {clip.id}; in bold: out of window, last seen {suite.window} or more frames ago.\n"
        f"Under each name: aligned PSNR of this clip's out-of-window frames.{best}",
        tuple("never" if gap < 0 else str(gap) for gap in clip.gap[clip.switch :].tolist()),
        tuple(clip.out_of_window(suite.window)[clip.switch :].tolist()),
        tuple(rows),
    )
    return [partial(draw_sheet, content, theme, path) for theme, path in ((LIGHT, folder.sheet), (DARK, dark))]


def is_noted(record: Record) -> bool:
    """Whether a record holds what stands under a name: all that :func:`drawings` looks at."""
    return record.sample == 0 and column_of(record) == PSNR


def chosen(models: Sequence[str]) -> list[str]:
    """At most ``MODELS`` of the models, in their order: the user's own, which no package registers, then the best."""
    known = set(model_names())
    first = sorted(models, key=lambda name: name in known)[:MODELS]
    return [name for name in models if name in first]


def pick_clip(clips: Sequence[Clip], have: Mapping[str, int]) -> Clip:
    """The first clip with a fast camera, else the first, of those that the most models have (``have`` by clip id)."""
    shared = [clip for clip in clips if have[clip.id] == max(have.values())]
    return next((clip for clip in shared if clip.speed == "fast"), shared[0])


def _frames(folder: Path) -> FrameSource:
    generation = read_generation(folder)
    if generation is None:
        raise MagbenchError(f"{folder}: has scores but no finished generation; run it again")
    return open_frames(folder, generation)


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


def draw_sheet(sheet: Sheet, theme: Theme, path: Path) -> None:
    """Write one PNG: the last given frame, a line where generation begins, and frames of the return."""
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    columns = pick_columns(len(sheet.heads))
    tiles = [row.tiles(columns) for row in sheet.rows]
    height, width = tiles[0][0].shape[:2]
    left = max(160, 28 + max(int(11.5 * len(row.name)) for row in sheet.rows))
    places = [left] + [left + RULE + (c + 1) * (width + PAD) for c in range(len(columns))]
    total_w = max(places[-1] + width + 12, 1100)
    total_h = TOP + len(sheet.rows) * (height + PAD) + BOTTOM
    with style.context("default"):
        figure = Figure(figsize=(total_w / DOTS, total_h / DOTS), dpi=DOTS, facecolor=theme.ground)

        def write(x: float, y: float, text: str, size: float, colour: str, **how: Any) -> None:
            figure.text(x / total_w, 1 - y / total_h, text, fontsize=size, color=colour, **how)

        write(12, 10, sheet.title, 16, theme.ink, va="top", fontweight="bold")
        write(12, 42, sheet.caption, 11.5, theme.quiet, va="top", linespacing=1.35)
        write(places[0] + width / 2, TOP - 8, "last given", 11.5, theme.quiet, va="bottom", ha="center")
        write(
            places[1],
            TOP - 30,
            "generated from here; the view was last seen so many frames ago:",
            11.5,
            theme.quiet,
            va="bottom",
        )
        x = (left + width + (PAD + RULE) / 2) / total_w
        line = Line2D([x, x], [BOTTOM / total_h, 1 - (TOP - 48) / total_h], color=theme.ink, lw=2.5)
        figure.add_artist(line)
        colours = looks([row.name for row in sheet.rows[1:]])
        for r, row in enumerate(sheet.rows):
            y = TOP + r * (height + PAD)
            colour = theme.ink if r == 0 else theme.colour(colours[row.name])
            write(12, y + height / 2 - 10, row.name, 13, colour, va="center", fontweight="bold")
            write(12, y + height / 2 + 13, row.note, 11.5, theme.quiet, va="center")
            for tile, x in zip(tiles[r], places, strict=True):
                figure.figimage(tile, x, total_h - y - height, origin="upper")
        for x, i in zip(places[1:], columns, strict=True):
            weight, colour = ("bold", theme.ink) if sheet.far[i] else ("normal", theme.quiet)
            write(x + width / 2, TOP - 8, sheet.heads[i], 12, colour, ha="center", va="bottom", fontweight=weight)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 6})
