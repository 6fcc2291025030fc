"""Does a finished video belong to its clip? What it holds of the given frames says so, before anything is scored.

A whole clip carries the given frames: they must be the suite's. If they resemble it better one frame late, with red and
blue exchanged, upside down or under another name, that is what happened to the rest as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.clip import Clip
from magbench.suites.format import Suite

Frames = NDArray[np.uint8]
"""(n, H, W, 3) uint8 RGB."""

LEAST = 1.0
"""Mean difference in levels below which frames are the same, however they were stored."""
BETTER = 0.6
"""An explanation is one if it leaves less than this share of the difference."""
STRANGE = 30.0
"""Mean difference in levels that no encoding makes."""
ALIKE = 0.5
"""Correlation of coarse frames above which a video is the clip's however hard it was compressed."""
SHIFTS = (1, -1, 2, -2, 3, -3)


def check_whole(frames: Frames, clip: Clip, suite: Suite) -> None:
    """Refuse a whole clip (T, H, W, 3) whose given frames are not the suite's.

    Raises:
        MagbenchError: says what they look like.
    """
    given = clip.frames[: clip.switch]
    own = frames[: clip.switch]
    found = difference(own, given)
    if found < LEAST:
        return
    least, what = min(_explanations(own, given), key=lambda pair: pair[0])
    if least < BETTER * found:
        off = f"{found:.1f} levels off as they are, {least:.1f} then"
        raise MagbenchError(f"its given frames are the clip's {what} ({off})")
    if found > STRANGE and _likeness(own, given) < ALIKE:
        name = _other_clip(own, clip, suite, BETTER * found)
        looks = f"look like those of clip {name}" if name else "are not the clip's"
        raise MagbenchError(f"its given frames {looks} ({found:.1f} levels off)")


def check_return(frames: Frames, clip: Clip) -> None:
    """Refuse a return (n, H, W, 3) that is the given part: a whole clip that was cut off, or the wrong half."""
    n, given = len(frames), clip.frames[: clip.switch]
    parts = [given[-n:], given[:n]] if clip.switch >= n else []
    if not parts:
        return
    as_given = min(difference(frames, part) for part in parts)
    if as_given < STRANGE / 3:
        as_true = difference(frames, clip.frames[clip.switch :])
        if as_given < BETTER * as_true / 2:
            raise MagbenchError(
                f"holds {n} frames that are given, not the return ({as_given:.1f} levels off the given ones,"
                f" {as_true:.1f} off the true return): a whole clip that was cut off?"
            )


def resembles(a: Frames, b: Frames) -> bool:
    """Whether frames of equal shape show the same, however hard they were compressed."""
    return difference(a, b) < LEAST or _likeness(a, b) >= ALIKE


def difference(a: Frames, b: Frames) -> float:
    """Mean absolute difference in levels of frames of equal shape, one after another."""
    return float(np.mean([np.abs(x.astype(np.int16) - y).mean() for x, y in zip(a, b, strict=True)]))


def _likeness(a: Frames, b: Frames) -> float:
    """Correlation of two videos whose frames are shrunk to 8x8."""
    import cv2

    coarse = [[cv2.resize(frame, (8, 8), interpolation=cv2.INTER_AREA) for frame in frames] for frames in (a, b)]
    first, second = (np.stack(frames).astype(np.float64).ravel() for frames in coarse)
    if not (first.std() and second.std()):
        return float(np.array_equal(first, second))
    return float(np.corrcoef(first, second)[0, 1])


def _explanations(own: Frames, given: Frames) -> Iterator[tuple[float, str]]:
    """(difference that is left, what happened)."""
    yield difference(own[..., ::-1], given), "with red and blue exchanged"
    yield difference(own[:, ::-1], given), "upside down"
    yield difference(own[:, :, ::-1], given), "mirrored"
    yield difference(own[:, ::-1, ::-1], given), "turned by 180 degrees"
    yield difference(own[::-1], given), "backwards"
    yield difference(255 - own, given), "as a negative"
    for shift in SHIFTS:
        if len(given) > abs(shift):
            late, early = (own[shift:], given[:-shift]) if shift > 0 else (own[:shift], given[-shift:])
            frames = f"{abs(shift)} frame{'s' * (abs(shift) > 1)}"
            yield difference(late, early), f"{frames} {'late' if shift > 0 else 'early'}"


def _other_clip(own: Frames, clip: Clip, suite: Suite, below: float) -> str:
    """The clip of the suite whose given frames these are, "" if none."""
    for other in suite.clips:
        alike = other.id != clip.id and (other.size, other.switch) == (clip.size, clip.switch)
        if alike and difference(own, other.frames[: other.switch]) < below:
            return other.id
    return ""
