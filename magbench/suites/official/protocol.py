"""Where the official MAG-Bench protocol cuts a clip: how many frames count and where the model starts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from unicodedata import normalize

from magbench.core.errors import MagbenchError

FPS = 16
CONTEXT_SHARE = 0.75  # of the annotated duration, as the official loader has it
BLOCK = 12  # pixel frames a model makes at a time; lengths are 12 k - 3
SHORTEST = 9  # a clip of one short block holds no return


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def clip_name(stem: str) -> str:
    """The id of a clip whose file has this stem: itself, with ``_`` for anything that may not stand in a name.

    A letter with an accent is one sign, also where the file system spells it as two.
    """
    return _UNSAFE.sub("_", normalize("NFC", stem)).lstrip("._-")


@dataclass(frozen=True)
class OfficialCut:
    """frames: how many of the video's first frames count; switch: the first of them that the model makes."""

    frames: int
    switch: int


def official_cut(video: str, raw_frames: int, duration: float) -> OfficialCut:
    """The official length and switch frame of a clip.

    video: name for the error message; raw_frames: frames in the file; duration: the CSV's `duration(sec)`,
    which need not be raw_frames / 16.
    """
    if not (math.isfinite(duration) and duration > 0):
        raise MagbenchError(f"video {video} has duration(sec) {duration}; it must be positive")
    frames = (raw_frames + 3) // BLOCK * BLOCK - 3
    if frames <= SHORTEST:
        raise MagbenchError(f"video {video} has not enough frames {frames}")
    switch = math.ceil((math.floor(CONTEXT_SHARE * FPS * duration) + 3) / BLOCK) * BLOCK - 3
    if switch >= frames:
        raise MagbenchError(f"video {video} switch_frame {switch} exceeds total frames {frames}")
    return OfficialCut(frames, switch)
