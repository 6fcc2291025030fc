"""Does a finished video belong to its clip? What it holds of the given frames says so, before anything is scored.

A whole clip carries the given frames: they must be the suite's. If they resemble it better one frame late, with red and
blue exchanged, upside down or under another name, that is what happened to the rest as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from magbench.core.errors import MagbenchError
from magbench.suites.clip import Clip
from magbench.suites.format import Suite
from magbench.video.frames import FrameSource, Stretch, each

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


def check_whole(frames: FrameSource, clip: Clip, suite: Suite) -> None:
    """Refuse a whole clip (T, H, W, 3) whose given frames are not the suite's.

    Raises:
        MagbenchError: says what they look like.
    """
    given, own = clip.part(0, clip.switch), Stretch(frames, 0, clip.switch)
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


def check_return(frames: FrameSource, clip: Clip) -> None:
    """Refuse a return (n, H, W, 3) that is the given part: a whole clip that was cut off, or the wrong half."""
    n = frames.shape[0]
    if clip.switch < n:
        return
    as_given = min(difference(frames, clip.part(start, start + n)) for start in (clip.switch - n, 0))
    if as_given < STRANGE / 3:
        as_true = difference(frames, clip.part(clip.switch))
        if as_given < BETTER * as_true / 2:
            raise MagbenchError(
                f"holds {n} frames that are given, not the return ({as_given:.1f} levels off the given ones,"
                f" {as_true:.1f} off the true return): a whole clip that was cut off?"
            )


def resembles(a: FrameSource, b: FrameSource) -> bool:
    """Whether frames of equal shape show the same, however hard they were compressed."""
    return difference(a, b) < LEAST or _likeness(a, b) >= ALIKE


def difference(a: FrameSource, b: FrameSource, change: Callable[[Frames], Frames] = np.asarray) -> float:
    """Mean absolute difference in levels of frames of equal shape, one after another.

    change: what is done to each of the first before.
    """
    return _apart((change(frame) for frame in each(a)), each(b))


def _apart(a: Iterable[Frames], b: Iterable[Frames]) -> float:
    return float(np.mean([np.abs(x.astype(np.int16) - y).mean() for x, y in zip(a, b, strict=True)]))


def _likeness(a: FrameSource, b: FrameSource) -> float:
    """Correlation of two videos whose frames are shrunk to 8x8."""
    import cv2

    coarse = [[cv2.resize(frame, (8, 8), interpolation=cv2.INTER_AREA) for frame in each(frames)] for frames in (a, b)]
    first, second = (np.stack(frames).astype(np.float64).ravel() for frames in coarse)
    if not (first.std() and second.std()):
        return float(np.array_equal(first, second))
    return float(np.corrcoef(first, second)[0, 1])


def _explanations(own: Stretch, given: Stretch) -> Iterator[tuple[float, str]]:
    """(difference that is left, what happened)."""
    yield difference(own, given, lambda frame: frame[..., ::-1]), "with red and blue exchanged"
    yield difference(own, given, lambda frame: frame[::-1]), "upside down"
    yield difference(own, given, lambda frame: frame[:, ::-1]), "mirrored"
    yield difference(own, given, lambda frame: frame[::-1, ::-1]), "turned by 180 degrees"
    yield _apart((own[place : place + 1][0] for place in reversed(range(len(own)))), each(given)), "backwards"
    yield difference(own, given, lambda frame: 255 - frame), "as a negative"
    count = len(given)
    for shift in SHIFTS:
        if count > abs(shift):
            late = Stretch(own, max(0, shift), count + min(0, shift))
            early = Stretch(given, max(0, -shift), count - max(0, shift))
            frames = f"{abs(shift)} frame{'s' * (abs(shift) > 1)}"
            yield difference(late, early), f"{frames} {'late' if shift > 0 else 'early'}"


def _other_clip(own: FrameSource, clip: Clip, suite: Suite, below: float) -> str:
    """The clip of the suite whose given frames these are, "" if none."""
    for other in suite.clips:
        alike = other.id != clip.id and (other.size, other.switch) == (clip.size, clip.switch)
        if alike and difference(own, other.part(0, other.switch)) < below:
            return other.id
    return ""
