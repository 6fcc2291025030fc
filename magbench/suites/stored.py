"""A clip's frames that stay in their file until they are read: a suite of any size fits in memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.core.errors import MagbenchError
from magbench.core.files import file_sha256
from magbench.video.frames import FramesOnDisk, FrameSource
from magbench.video.io import open_video, video_shape

HELD = 2
"""Decoded videos that always stay, those used last: a clip, and the one it is compared with; long ones on the disk."""
HELD_BYTES = 2**27
"""Further ones stay while all of them together are no larger: a suite of small clips is decoded once."""


@dataclass(frozen=True)
class StoredVideo:
    """The first frames of a video file; a :class:`magbench.video.frames.FrameSource`.

    Attributes:
        sha256: of the file; one that changed since it was checked is an error when it is read.
        shape: (T, H, W, 3) of the frames that count.
        length: frames in the file, T or more.
    """

    path: Path
    sha256: str
    shape: tuple[int, int, int, int]
    length: int

    @classmethod
    def found(cls, path: Path, sha256: str) -> StoredVideo:
        """All frames of a file that was checked against ``sha256``."""
        shape = video_shape(path)
        return cls(path, sha256, shape, shape[0])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Decode; what was decoded last is there already. The array is shared: nobody writes into it."""
        return np.array(_decoded(self)[: self.shape[0]], dtype=dtype, copy=copy)

    def __getitem__(self, index: slice) -> NDArray[np.uint8]:
        start, stop, _ = index.indices(self.shape[0])
        return np.asarray(_decoded(self)[start:stop])


_held: OrderedDict[StoredVideo, NDArray[np.uint8] | FramesOnDisk] = OrderedDict()
"""Decoded videos, those used last at the end."""


def _decoded(video: StoredVideo) -> FrameSource:
    if video not in _held:
        _held[video] = _decode(video)
    _held.move_to_end(video)
    while len(_held) > HELD and sum(prod(frames.shape) for frames in _held.values()) > HELD_BYTES:
        _held.popitem(last=False)
    return _held[video]


def _decode(video: StoredVideo) -> NDArray[np.uint8] | FramesOnDisk:
    if (found := file_sha256(video.path)) != video.sha256:
        raise MagbenchError(f"{video.path}: changed while in use, sha256 was {video.sha256[:12]}, is {found[:12]}")
    frames = open_video(video.path, None, (video.length, *video.shape[1:3]))
    if (len(frames), *frames.shape[1:]) != (video.length, *video.shape[1:]):
        listed = "x".join(map(str, (video.length, *video.shape[1:3])))
        raise MagbenchError(f"{video.path}: decodes to {'x'.join(map(str, frames.shape[:3]))}, {listed} counted before")
    return frames
