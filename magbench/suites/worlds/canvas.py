"""A procedural two-dimensional world: canvases that cannot be guessed, and a camera that looks at them.

A canvas is a square picture that wraps around at its borders. It is made of soft colour fields, thousands of shapes
with their own fill (plain, gradient, stripes, checks, dots) and rows of glyph-like marks, from coarse to fine. One view
at scale 1 covers ``PIXELS_PER_VIEW`` canvas pixels. numpy and torch only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Pixels = NDArray[np.float64]

CANVAS = 512
"""Side of a canvas, in canvas pixels."""
PIXELS_PER_VIEW = 32
"""Canvas pixels across one view at scale 1: a canvas is 16 views wide."""
SUPERSAMPLE = 3
"""Samples per output pixel and axis."""


SHAPES = ("blocks", "discs", "rings", "bars", "triangles")
FILLS = ("plain", "shaded", "striped", "checked", "dotted")


@dataclass(frozen=True)
class Contents:
    """What a canvas is made of, without where anything is.

    Attributes:
        palette: (n, 3) colours in [0, 1].
        painted: (SHAPES, FILLS) canvas pixels that shapes of each kind, with each fill, covered when they were drawn.
    """

    palette: Pixels
    painted: Pixels


def make_canvas(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A new canvas, (CANVAS, CANVAS, 3) uint8."""
    return draw_canvas(rng)[0]


def draw_canvas(rng: np.random.Generator) -> tuple[NDArray[np.uint8], Contents]:
    """A new canvas, (CANVAS, CANVAS, 3) uint8, and what it is made of."""
    painted = np.zeros((len(SHAPES), len(FILLS)))
    palette = rng.uniform(0, 1, (int(rng.integers(5, 10)), 3))
    canvas = _fields(rng)
    busy = rng.uniform(0.6, 1.1)
    for count, low, high in ((90, 24.0, 60.0), (450, 9.0, 26.0), (900, 3.5, 10.0)):
        for _ in range(int(busy * count)):
            _shape(canvas, painted, palette, rng, rng.uniform(low, high))
    for _ in range(int(rng.uniform(120, 280))):
        _glyphs(canvas, palette, rng)
    soft = (np.roll(canvas, 1, 0) + 4 * canvas + np.roll(canvas, -1, 0)) / 6
    soft = (np.roll(soft, 1, 1) + 4 * soft + np.roll(soft, -1, 1)) / 6
    return np.floor(soft.clip(0, 1) * 255 + 0.5).astype(np.uint8), Contents(palette, painted)


def render(
    canvas: Tensor,
    cameras: Tensor,
    size: tuple[int, int],
    covers: tuple[int, int] = (PIXELS_PER_VIEW, PIXELS_PER_VIEW),
) -> Tensor:
    """What cameras see of a canvas.

    Args:
        canvas: (N, 3, side, side) float32 in [0, 1], which wraps around.
        cameras: (N, T, 3) float64, see :mod:`magbench.suites.worlds.paths`.
        size: (H, W) of a frame.
        covers: canvas pixels down and across that a view at scale 1 shows: the units of x and y.
    Returns:
        (N, T, 3, H, W) float32 in [0, 1]: the mean of ``SUPERSAMPLE**2`` bilinear samples a pixel.
    """
    import torch

    batch, frames = cameras.shape[:2]
    rows, columns = (length * SUPERSAMPLE for length in size)
    width = cameras[..., 2].exp()[..., None]
    side = canvas.shape[-1]
    offsets = ((torch.arange(fine, dtype=torch.float64) + 0.5) / fine - 0.5 for fine in (rows, columns))
    down, across = (
        (cameras[..., axis : axis + 1] + offset * width) * length
        for axis, offset, length in zip((1, 0), offsets, covers, strict=True)
    )
    padded = torch.nn.functional.pad(canvas, (1, 1, 1, 1), mode="circular")
    across, down = ((axis % side) + 0.5 for axis in (across, down))
    grid_x, grid_y = (((axis + 0.5) / (side + 2)) * 2 - 1 for axis in (across, down))
    grid = torch.stack(
        [grid_x[..., None, :].expand(-1, -1, rows, -1), grid_y[..., :, None].expand(-1, -1, -1, columns)], dim=-1
    ).to(canvas.dtype)
    seen = torch.nn.functional.grid_sample(
        padded, grid.reshape(batch, frames * rows, columns, 2), mode="bilinear", align_corners=False
    )
    pooled = torch.nn.functional.avg_pool2d(seen, SUPERSAMPLE)
    return pooled.reshape(batch, 3, frames, *size).transpose(1, 2)


def _fields(rng: np.random.Generator) -> Pixels:
    """Soft colour fields: smooth noise at four scales, wrapped around. (CANVAS, CANVAS, 3) in about [0, 1]."""
    total = np.full((CANVAS, CANVAS, 3), 0.5)
    for cells, strength in ((8, 0.5), (16, 0.35), (32, 0.22), (64, 0.12)):
        coarse = rng.uniform(-0.5, 0.5, (cells, cells, 3))
        total += strength * _enlarge(coarse, CANVAS // cells)
    return total


def _enlarge(coarse: Pixels, factor: int) -> Pixels:
    """Bilinear enlargement of a wrapping picture by a whole factor."""
    for axis in (0, 1):
        fraction = (np.arange(factor) / factor).reshape([1, factor, 1, 1] if axis == 0 else [1, 1, factor, 1])
        following = np.roll(coarse, -1, axis)
        near, far = np.expand_dims(coarse, axis + 1), np.expand_dims(following, axis + 1)
        shape = list(coarse.shape)
        shape[axis] *= factor
        coarse = (near * (1 - fraction) + far * fraction).reshape(shape)
    return coarse


def _shape(canvas: Pixels, painted: Pixels, palette: Pixels, rng: np.random.Generator, size: float) -> None:
    """Draw one shape of about ``size`` canvas pixels, anywhere, any turn, fill and opacity; book what it covers."""
    reach = int(size) + 2
    cx, cy = rng.uniform(0, CANVAS, 2)
    rows = np.arange(int(cy) - reach, int(cy) + reach + 1)
    cols = np.arange(int(cx) - reach, int(cx) + reach + 1)
    angle = rng.uniform(0, 2 * np.pi)
    dx, dy = cols[None, :] - cx, rows[:, None] - cy
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    aspect = rng.uniform(0.3, 1.0)
    kind = int(rng.integers(len(SHAPES)))
    if kind == 0:
        distance = np.maximum(np.abs(u), np.abs(v) / aspect) - 0.7 * size
    elif kind == 1:
        distance = np.sqrt(u**2 + (v / aspect) ** 2) - 0.8 * size
    elif kind == 2:
        distance = np.abs(np.sqrt(u**2 + v**2) - 0.7 * size) - 0.22 * size * aspect
    elif kind == 3:
        distance = np.maximum(np.abs(u) - 0.95 * size, np.abs(v) - 0.16 * size)
    else:
        distance = np.maximum(np.abs(u) * 0.87 + v * 0.5, -v) - 0.45 * size
    cover = np.clip(0.5 - distance, 0, 1) * rng.uniform(0.55, 1.0)
    fill, colours = _fill(u, v, size, palette, rng)
    painted[kind, fill] += cover.sum()
    _blend(canvas, rows, cols, cover, colours)


def _colour(palette: Pixels, rng: np.random.Generator) -> Pixels:
    """(3,) one of the canvas's own colours, or near it."""
    return palette[rng.integers(len(palette))] + rng.uniform(-0.15, 0.15, 3)


def _fill(u: Pixels, v: Pixels, size: float, palette: Pixels, rng: np.random.Generator) -> tuple[int, Pixels]:
    """Which of ``FILLS`` a shape has, and its colours (h, w, 3)."""
    first, second = _colour(palette, rng), _colour(palette, rng)
    period = max(size * rng.uniform(0.25, 0.6), 3.0)
    kind = int(rng.integers(len(FILLS)))
    if kind == 0:
        mix = np.zeros_like(u)
    elif kind == 1:
        mix = np.clip(u / (2 * size) + 0.5, 0, 1)
    elif kind == 2:
        mix = np.clip(period * 0.3 * np.sin(2 * np.pi * u / period) + 0.5, 0, 1)
    elif kind == 3:
        waves = np.sin(2 * np.pi * u / period) * np.sin(2 * np.pi * v / period)
        mix = np.clip(period * 0.4 * waves + 0.5, 0, 1)
    else:
        du, dv = (axis / period - np.floor(axis / period) - 0.5 for axis in (u, v))
        mix = np.clip((0.3 - np.sqrt(du**2 + dv**2)) * period + 0.5, 0, 1)
    return kind, first + mix[..., None] * (second - first)


def _glyphs(canvas: Pixels, palette: Pixels, rng: np.random.Generator) -> None:
    """Draw a short row of letter-like marks: random 5 x 3 bitmaps, two or three canvas pixels a dot."""
    letters, dot = int(rng.integers(2, 6)), int(rng.integers(2, 4))
    marks = rng.random((5, letters, 3)) < 0.55
    spaced = np.concatenate([marks, np.zeros((5, letters, 1), bool)], axis=2).reshape(5, letters * 4)
    cover = np.kron(spaced, np.ones((dot, dot))) * rng.uniform(0.7, 1.0)
    if rng.random() < 0.5:
        cover = cover.T
    top, left = rng.integers(0, CANVAS, 2)
    rows, cols = np.arange(top, top + cover.shape[0]), np.arange(left, left + cover.shape[1])
    _blend(canvas, rows, cols, cover, _colour(palette, rng))


def _blend(canvas: Pixels, rows: NDArray[np.int64], cols: NDArray[np.int64], cover: Pixels, colour: Pixels) -> None:
    """Blend ``colour`` into the wrapped window ``rows`` x ``cols`` of the canvas, in place."""
    inside = rows[0] >= 0 and cols[0] >= 0 and rows[-1] < CANVAS and cols[-1] < CANVAS
    window = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    place = window if inside else np.ix_(rows % CANVAS, cols % CANVAS)
    canvas[place] += cover[..., None] * (colour - canvas[place])
