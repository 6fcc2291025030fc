"""Videos of another rate, size or length, made to fit in the open: everything done to them is said in words."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.generation.given_part import resembles
from magbench.suites.clip import Clip
from magbench.video.formats import read_untimed
from magbench.video.frame_rate import RATE
from magbench.video.resize import cut, resized

Frames = NDArray[np.uint8]
"""(n, H, W, 3) uint8 RGB."""


def read_fitted(path: Path, clip: Clip) -> tuple[Frames, str]:
    """The frames of a video, as many as the return or the whole clip has and of its size, and what was done.

    The rate comes first, then the size, then the length; what fits is left alone. "" if nothing was done.

    Raises:
        MagbenchError: a frame rate that changes, an upright picture for a lying one, fewer frames than the return.
    """
    frames, rate = read_untimed(path)
    try:
        frames, timed = in_time(frames, rate, clip.fps)
        frames, sized = in_size(frames, clip.size)
        frames, shortened = in_length(frames, clip)
    except MagbenchError as error:
        raise MagbenchError(f"{path}: {error}") from error
    return frames, "; ".join(filter(None, (timed, sized, shortened)))


def in_time(frames: Frames, rate: Fraction | None, fps: int) -> tuple[Frames, str]:
    """Frames at ``fps``, each the nearest in time. ``rate``: that of the frames, None where nobody knows it."""
    if rate is None or abs(rate / fps - 1) <= RATE:
        return frames, ""
    count = int((len(frames) - 1) * fps / rate) + 1
    taken = [int(number * rate / fps + Fraction(1, 2)) for number in range(count)]
    what = "frames left out" if rate > fps else "frames repeated"
    return frames[taken], f"{float(rate):.5g} to {fps} frames per second, nearest in time, {what}"


def in_size(frames: Frames, size: tuple[int, int]) -> tuple[Frames, str]:
    """Frames of ``size`` (H, W): cut around the middle, then shrunk by area or enlarged (Lanczos)."""
    height, width = frames.shape[1:3]
    if (height, width) == size:
        return frames, ""
    rows, columns = cut(height, width, size)
    done = [] if (rows, columns) == (height, width) else [f"{width}x{height} cut to {columns}x{rows}"]
    if (rows, columns) != size:
        way = "by area" if rows >= size[0] and columns >= size[1] else "Lanczos"
        done.append(f"{columns}x{rows} to {size[1]}x{size[0]} {way}")
    return np.stack([resized(frame, size) for frame in frames]), ", ".join(done)


def in_length(frames: Frames, clip: Clip) -> tuple[Frames, str]:
    """The first frames, as many as the return has; or as the clip has, if they begin as it does."""
    found, wanted = len(frames), len(clip) - clip.switch
    if found in (wanted, len(clip)):
        return frames, ""
    if found < wanted:
        raise MagbenchError(f"holds {found} frames at {clip.fps} a second, the return has {wanted}; none are made up")
    if found > clip.switch and resembles(frames[: clip.switch], clip.frames[: clip.switch]):
        wanted = len(clip)
        if found < wanted:
            raise MagbenchError(f"begins as the clip does and holds {found} of its {wanted} frames; none are made up")
    return frames[:wanted], f"the first {wanted} of {found} frames"
