"""Videos of another rate, size or length, made to fit in the open: everything done to them is said in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.generation.given_part import resembles
from magbench.suites.clip import Clip
from magbench.video.formats import open_untimed
from magbench.video.frame_rate import RATE
from magbench.video.resize import cut, resized

Frames = NDArray[np.uint8]
"""(n, H, W, 3) uint8 RGB."""


def read_fitted(path: Path, clip: Clip) -> tuple[Frames, str]:
    """The frames of a video, as many as the return or the whole clip has and of its size, and what was done.

    The rate comes first, then the size, then the length; what fits is left alone. "" if nothing was done. Of a longer
    or larger video no more is in memory than the clip has.

    Raises:
        MagbenchError: a frame rate that changes, an upright picture for a lying one, fewer frames than the return.
    """
    source, rate = open_untimed(path)
    try:
        places, timed = in_time(source.shape[0], rate, clip.fps)
        wanted = (source[place : place + 1][0] for place in places[: len(clip)])
        frames, sized = in_size(wanted, source.shape[1:3], clip.size)
        frames, shortened = in_length(frames, len(places), clip)
    except MagbenchError as error:
        raise MagbenchError(f"{path}: {error}") from error
    return frames, "; ".join(filter(None, (timed, sized, shortened)))


def in_time(count: int, rate: Fraction | None, fps: int) -> tuple[Sequence[int], str]:
    """Which of ``count`` frames at ``rate`` (None: nobody knows it) are the nearest in time to those at ``fps``."""
    if rate is None or abs(rate / fps - 1) <= RATE:
        return range(count), ""
    taken = [int(number * rate / fps + Fraction(1, 2)) for number in range(int((count - 1) * fps / rate) + 1)]
    what = "frames left out" if rate > fps else "frames repeated"
    return taken, f"{float(rate):.5g} to {fps} frames per second, nearest in time, {what}"


def in_size(frames: Iterable[Frames], there: Sequence[int], size: tuple[int, int]) -> tuple[Frames, str]:
    """Frames of size ``there`` (H, W), one after the other, as ones of ``size``.

    They are cut around the middle, then shrunk by area or enlarged (Lanczos).
    """
    height, width = there
    if (height, width) == size:
        return np.stack(list(frames)), ""
    rows, columns = cut(height, width, size)
    done = [] if (rows, columns) == (height, width) else [f"{width}x{height} cut to {columns}x{rows}"]
    if (rows, columns) != size:
        way = "by area" if rows >= size[0] and columns >= size[1] else "Lanczos"
        done.append(f"{columns}x{rows} to {size[1]}x{size[0]} {way}")
    return np.stack([resized(frame, size) for frame in frames]), ", ".join(done)


def in_length(frames: Frames, found: int, clip: Clip) -> tuple[Frames, str]:
    """The first frames, as many as the return has; or as the clip has, if they begin as it does.

    frames: the first of ``found``, at least as many as the clip has where there are.
    """
    wanted = len(clip) - clip.switch
    if found in (wanted, len(clip)):
        return frames, ""
    if found < wanted:
        raise MagbenchError(f"holds {found} frames at {clip.fps} a second, the return has {wanted}; none are made up")
    if found > clip.switch and resembles(frames[: clip.switch], clip.frames[: clip.switch]):
        wanted = len(clip)
        if found < wanted:
            raise MagbenchError(f"begins as the clip does and holds {found} of its {wanted} frames; none are made up")
    return frames[:wanted], f"the first {wanted} of {found} frames"
