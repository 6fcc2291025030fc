"""What a video file says about its length and its frame rate, held against the frames that came out of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from magbench.core.errors import MagbenchError

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 0.005
"""Relative: how far a frame rate may be off. 23.976 passes for 24, 15 does not for 16."""

UNEVEN = 0.01
"""Relative to their mean: how far the spacings of frames may differ, beside two ticks of the file's clock."""

MISSING = 0.75
"""How much of a frame's duration may be missing at the end. Less than one, more than rounding."""

_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True)
class Declared:
    """What a container says of its video, None where it says nothing: frames, seconds to its end, frames a second."""

    frames: int | None
    seconds: float | None
    rate: float | None


ANYTHING = Declared(None, None, None)
"""What is held against frames that are only the beginning of a video."""


def declared_length(container: InputContainer) -> Declared:
    """Read what is declared. MP4 counts frames; Matroska and WebM give a duration, of the stream or of the file."""
    stream = container.streams.video[0]
    if stream.metadata.get("alpha_mode") == "1":
        raise MagbenchError(f"{container.name}: has its alpha channel beside the picture (WebM); encode it without")
    seconds = None
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    elif clock := _CLOCK.match(stream.metadata.get("DURATION", "")):
        hours, minutes, rest = clock.groups()
        seconds = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    elif container.duration is not None and len(container.streams) == 1:
        seconds = container.duration / 1e6
    return Declared(stream.frames or None, seconds, float(stream.average_rate or 0) or None)


def check(ticks: Sequence[int | None], tick: float, declared: Declared, fps: int | None) -> None:
    """Complain of a video that was cut off, that has no constant rate, or, where ``fps`` is given, another rate.

    Args:
        ticks: the timestamp of each decoded frame.
        tick: seconds of one of them.
    """
    length = len(ticks)
    if declared.frames is not None and length < declared.frames:
        raise MagbenchError(f"declares {declared.frames} frames, {length} can be decoded: cut off or trimmed")
    known = [tick * stamp for stamp in ticks if stamp is not None]
    if len(known) < length or tick <= 0:
        raise MagbenchError("has frames without a timestamp; encode it with a constant frame rate")
    span = known[-1] - known[0]
    if length > 1:
        mean = span / (length - 1)
        low, high = np.diff(known).min(), np.diff(known).max()
    elif declared.rate is not None:
        mean = low = high = 1 / declared.rate
    else:
        raise MagbenchError("has one frame and no frame rate")
    if low <= 0 or high - low > 2 * tick + UNEVEN * mean:
        raise MagbenchError(
            f"has a variable frame rate, frames are {low * 1000:.4g} to {high * 1000:.4g} ms apart;"
            " encode it with a constant one"
        )
    if declared.seconds is not None and declared.seconds - known[-1] > (1 + MISSING) * mean:
        raise MagbenchError(f"declares {declared.seconds:.4g} s, its frames end at {known[-1] + mean:.4g} s: cut off")
    if fps is not None and abs(mean * fps - 1) > RATE + 2 * tick / (span or mean):
        raise MagbenchError(f"has {1 / mean:.3g} frames per second, {fps} wanted")
