"""Synthetic videos whose motion, flicker, blur and drift are known."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift

Frames = NDArray[np.uint8]


@cache
def canvas(size: int, blur: float = 1.5, seed: int = 0) -> NDArray[np.float64]:
    """(size, size, 3) in [0, 255]: a smooth random texture that wraps around."""
    noise = np.random.default_rng(seed).normal(size=(size, size, 3))
    smooth = gaussian_filter(noise, (blur, blur, 0), mode="wrap")
    smooth -= smooth.min()
    return smooth * (255 / smooth.max())


def film(x: NDArray[np.float64], y: NDArray[np.float64], side: int = 32, seed: int = 0) -> Frames:
    """(T, side, side, 3): a window on the canvas whose corner is at (x[t], y[t]), in pixels, fractions allowed."""
    image = canvas(max(96, side + 64), seed=seed)
    frames = [
        shift(image, (-b, -a, 0), order=1, mode="grid-wrap")[32 : 32 + side, 32 : 32 + side]
        for a, b in zip(x, y, strict=True)
    ]
    return np.stack(frames).round().astype(np.uint8)


def pan(frames: int, dx: float, dy: float = 0.0, side: int = 32, seed: int = 0) -> Frames:
    """A steady pan by (dx, dy) pixels a frame."""
    time = np.arange(frames, dtype=np.float64)
    return film(dx * time, dy * time, side, seed)


def there_and_back(dx: float, count: int = 8, seed: int = 0) -> tuple[Frames, Frames]:
    """(the return, the given frames) of a pan that turns round."""
    away = pan(count, dx, seed=seed)
    return away[::-1].copy(), away
