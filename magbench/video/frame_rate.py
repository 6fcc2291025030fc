"""What a video file says about its length and its frame rate, held against the frames that came out of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from magbench.core.errors import MagbenchError, Misfit

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 0.005
"""Relative: how far a frame rate may be off. 23.976 passes for 24, 15 does not for 16."""

UNEVEN = 0.01
"""Relative to their mean: how far the spacings of frames may differ, beside two ticks of the file's clock."""

MISSING = 0.75
"""How much of a frame's duration may be missing at the end. Less than one, more than rounding."""

COARSE = 4
"""Ticks in a frame; with fewer, rounding of a stamp and a missing frame look alike."""

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


def check(ticks: Sequence[int | None], tick: Fraction, declared: Declared, fps: int | None) -> None:
    """Complain of a video that was cut off, that has no constant rate, or, where ``fps`` is given, another rate.

    Args:
        ticks: the timestamp of each decoded frame.
        tick: seconds of one of them.
    """
    length = len(ticks)
    if declared.frames is not None and length < declared.frames:
        raise MagbenchError(f"declares {declared.frames} frames, {length} can be decoded: cut off or trimmed")
    known = [stamp for stamp in ticks if stamp is not None]
    if len(known) < length or tick <= 0:
        raise MagbenchError("has frames without a timestamp; encode it with a constant frame rate")
    if length > 1:
        rate = constant_rate(known, tick)
    elif declared.rate is not None:
        rate = Rate(Fraction(declared.rate).limit_denominator(1_000_000), 0.0)
    else:
        raise MagbenchError("has one frame and no frame rate")
    end, mean = float(known[-1] * tick), 1 / float(rate.value)
    if declared.seconds is not None and declared.seconds - end > (1 + MISSING) * mean:
        raise MagbenchError(f"declares {declared.seconds:.4g} s, its frames end at {end + mean:.4g} s: cut off")
    if fps is not None and abs(fps / rate.value - 1) > RATE + rate.uncertain:
        raise Misfit(f"has {float(rate.value):.3g} frames per second, {fps} wanted")


@dataclass(frozen=True)
class Rate:
    """Frames a second, and by which share it may be off because time stamps are rounded."""

    value: Fraction
    uncertain: float


def rounded(rate: Rate) -> Fraction:
    """The rate that is meant: a whole number, or 1000/1001 of one, if it lies within what rounding hides."""
    whole = Fraction(round(rate.value))
    for meant in (whole, Fraction(round(rate.value * 1001 / 1000)) * 1000 / 1001):
        if meant and abs(rate.value / meant - 1) <= rate.uncertain:
            return meant
    return rate.value


def constant_rate(stamps: Sequence[int], tick: Fraction) -> Rate:
    """The rate of two or more frames by their time stamps alone.

    Stamps may be rounded to the clock of the file, or to the milliseconds of a Matroska file that was copied into
    another container. Where a tick is not much less than a frame rounding cannot be told from a missing frame, and only
    even stamps are taken.

    Raises:
        MagbenchError: frames unevenly apart, or a clock that hides the rate.
    """
    apart = np.diff(np.array(stamps, np.int64))
    span, low, high = stamps[-1] - stamps[0], int(apart.min()), int(apart.max())
    mean = Fraction(span, len(apart))
    milliseconds = _in_milliseconds(stamps, tick)
    grain = Fraction(1, 1000) if milliseconds else tick
    if low > 0 and low == high and not milliseconds:
        return Rate(1 / (low * tick), 0.0)
    if low > 0 and mean * tick < COARSE * grain:
        raise MagbenchError(_hidden(grain, mean * tick))
    allowed = float((2 if grain == tick else 1) * grain / tick + UNEVEN * mean)
    line = np.array(stamps) - (stamps[0] + float(mean) * np.arange(len(stamps)))
    if low <= 0 or high - low > allowed or np.ptp(line) > 2 * allowed:
        raise MagbenchError(
            f"has a variable frame rate, frames are {float(low * tick) * 1000:.4g} to {float(high * tick) * 1000:.4g}"
            " ms apart; encode it with a constant one"
        )
    return Rate(1 / (mean * tick), float(grain / (span * tick)))


def _hidden(tick: Fraction, frame: Fraction) -> str:
    return (
        f"its clock ticks {float(1 / tick):.4g} times a second, too coarse to tell the rate of frames that are about"
        f" {float(frame) * 1000:.3g} ms apart; encode it with a finer one"
    )


def _in_milliseconds(stamps: Sequence[int], tick: Fraction) -> bool:
    """Whether every stamp is, within a tick, a whole number of milliseconds after the first; of coarser clocks none."""
    if tick > Fraction(1, 1000):
        return False
    off = [(stamp - stamps[0]) * tick * 1000 for stamp in stamps]
    return all(abs(each - round(each)) <= tick * 1000 for each in off)
