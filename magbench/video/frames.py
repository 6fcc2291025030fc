"""Frames that need not be in memory: those of a long video wait in a nameless file and are read a few at a time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedRandom
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from magbench.core.disk import explained

MEMORY_BYTES = 2**26
"""Of a video that is held in memory: 56 frames at 832x480. A longer one waits in the folder of temporary files."""
PIECE_BYTES = 2**24
"""Of frames that are read together where any number would do: 14 at 832x480."""

Frames = NDArray[np.uint8]


class FrameSource(Protocol):
    """Frames that need not be in memory: an array, or something that becomes one when numpy asks.

    ``shape`` is (T, H, W, 3), and known without the pixels; ``__array__`` gives them all, uint8 RGB, and a slice
    without a step those of neighbours. What can only be made as a whole gets that from :class:`Whole`.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def __array__(self) -> Callable[..., NDArray[Any]]: ...

    def __getitem__(self, index: slice, /) -> Any: ...


class Whole:
    """Base of a source of which, for any of its frames, all have to be made."""

    def __getitem__(self, index: slice) -> NDArray[Any]:
        return np.asarray(self)[index]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Frames [start, stop) of a source."""

    source: FrameSource
    start: int
    stop: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.stop - self.start, *self.source.shape[1:])

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: slice) -> Frames:
        first, last, _ = index.indices(len(self))
        return np.asarray(self.source[self.start + first : self.start + last])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self[:], dtype=dtype, copy=copy)


@dataclass(frozen=True, eq=False)
class Joined:
    """The frames of one source, then those of another."""

    first: FrameSource
    second: FrameSource

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.first.shape[0] + self.second.shape[0], *self.first.shape[1:])

    def __getitem__(self, index: slice) -> Frames:
        start, stop, _ = index.indices(self.shape[0])
        border = self.first.shape[0]
        parts = self.first[start : min(stop, border)], self.second[max(0, start - border) : max(0, stop - border)]
        return np.concatenate(parts)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self[:], dtype=dtype, copy=copy)


class FramesOnDisk:
    """(T, H, W, 3) uint8 in a file without a name, which goes with this object."""

    def __init__(self, file: BufferedRandom, shape: tuple[int, ...]) -> None:
        self._file, self.shape = file, shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice) -> Frames:
        start, stop, _ = index.indices(len(self))
        count, each = max(0, stop - start), math.prod(self.shape[1:])
        frames = np.empty((count, *self.shape[1:]), np.uint8)
        self._file.seek(start * each)
        self._file.readinto(frames.reshape(-1).data)
        return frames

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)


class Gathered:
    """Takes frames of one size, one after the other, and holds no more of them than ``MEMORY_BYTES``."""

    def __init__(self) -> None:
        self._held = np.empty((0, 0, 0, 3), np.uint8)
        self._file: BufferedRandom | None = None
        self._count = 0

    def add(self, frame: Frames) -> None:
        """Take a frame (H, W, 3)."""
        if self._count == 0:  # one block, of which the system gives what is used: it goes back whole
            self._held = np.empty((max(1, MEMORY_BYTES // frame.nbytes), *frame.shape), np.uint8)
        try:
            if self._count == len(self._held):
                self._file = tempfile.TemporaryFile(prefix="magbench-")  # noqa: SIM115  # it goes with the frames
                self._file.write(self._held.data)
                self._held = self._held[:0].copy()
            if self._file is None:
                self._held[self._count] = frame
            else:
                self._file.write(np.ascontiguousarray(frame).data)
                self._file.flush()
        except OSError as error:
            raise explained(error, Path(tempfile.gettempdir())) from error
        self._count += 1

    def frames(self) -> Frames | FramesOnDisk:
        """All that were added, at least one."""
        if self._file is None:
            return self._held[: self._count].copy()
        return FramesOnDisk(self._file, (self._count, *self._held.shape[1:]))


def each(frames: FrameSource) -> Iterator[Frames]:
    """One frame (H, W, 3) after the other, read a few at a time."""
    return chain.from_iterable(pieces(frames))


def pieces(frames: FrameSource) -> Iterator[Frames]:
    """The frames, in order, a few at a time; a source that is made as a whole is made once."""
    frames = np.asarray(frames) if isinstance(frames, Whole) else frames
    count, step = frames.shape[0], max(1, PIECE_BYTES // math.prod(frames.shape[1:]))
    for start in range(0, count, step):
        yield np.asarray(frames[start : min(start + step, count)])
