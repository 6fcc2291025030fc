"""Time and memory of a stream, measured from outside, and the check that what it yields is video.

Seconds are wall clock around each ``next``, after the accelerator has finished. They hold whatever the model
does to hand over pixels, its decoder included, and none of the harness's own work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from magbench.core.errors import MagbenchError
from magbench.models.disturbance import Disturbance, Watch
from magbench.models.pixels import as_frames
from magbench.video.io import to_uint8

CPU = "cpu"
"""The device of a stream that used no accelerator."""
_END: Any = object()
WARM_UP_PIECES = 2
"""The first piece and one that reads history."""


@dataclass(frozen=True)
class Expected:
    """What a stream must add up to: ``frames`` frames of ``height`` x ``width`` pixels."""

    frames: int
    height: int
    width: int


@dataclass(frozen=True)
class Metered:
    """A finished stream.

    Attributes:
        frames: (n, H, W, 3) uint8.
        pieces: frames in each piece.
        seconds: for each piece; the first is the time to the first frame.
        history_bytes: after each piece, or None if the model cannot say.
        peak_rss_bytes: the largest resident size of the process during the stream, with all that was resident
            before it (weights, libraries, the suite); None where this mark cannot be restarted: not on Linux.
        device: name of the accelerator that was used, else :data:`CPU`.
        device_peak_bytes: most bytes torch held on the accelerator during the stream, or None without one.
        disturbance: what other work did to these times.
    """

    frames: NDArray[np.uint8]
    pieces: list[int]
    seconds: list[float]
    history_bytes: list[int] | None
    peak_rss_bytes: int | None
    device: str
    device_peak_bytes: int | None
    disturbance: Disturbance = Disturbance()


def warm_up(stream: Callable[[], Iterator[Tensor]]) -> None:
    """Take the first pieces of a stream and throw them away, so that what is paid once is not timed."""
    pieces = stream()
    for _ in range(WARM_UP_PIECES):
        next(pieces, None)


def measure(
    stream: Callable[[], Iterator[Tensor]],
    memory_bytes: Callable[[], int | None],
    expected: Expected,
    seed: int,
    alone: bool = True,
) -> Metered:
    """Run a stream to its end. Wrong shape, dtype or length, NaN and values outside [0, 1] are errors.

    The global generator is seeded too, so that a model that forgets ``Task.seed`` still repeats itself.

    Args:
        alone: whether no other thread of this process works meanwhile, see :class:`Watch`.
    """
    torch.manual_seed(seed)
    restarted = restart_marks()
    frames = np.empty((expected.frames, expected.height, expected.width, 3), np.uint8)
    lengths: list[int] = []
    seconds: list[float] = []
    history: list[int | None] = []
    total = 0
    _synchronise()
    watch = Watch(alone)
    start = time.perf_counter()
    pieces = stream()  # timed with the first piece: a model may do its work here
    while True:
        piece = next(pieces, _END)
        _synchronise()
        elapsed = time.perf_counter() - start
        if piece is _END:
            disturbance = watch.seen()
            break
        frames_of_piece = as_frames(piece, f"piece {len(lengths)}", (expected.height, expected.width))
        total += len(frames_of_piece)
        if total > expected.frames:
            raise MagbenchError(f"yields too many frames: {total} or more, {expected.frames} wanted")
        try:
            to_uint8(frames_of_piece, frames[total - len(frames_of_piece) : total])
        except MagbenchError as error:
            raise MagbenchError(f"piece {len(lengths)}: {error}") from error
        lengths.append(len(frames_of_piece))
        seconds.append(elapsed)
        history.append(memory_bytes())
        start = time.perf_counter()
    if total < expected.frames:
        raise MagbenchError(f"yields too few frames: {total}, {expected.frames} wanted")
    known = [size for size in history if size is not None]
    if known and len(known) < len(lengths):
        raise MagbenchError(f"memory_bytes() is None after {len(lengths) - len(known)} of {len(lengths)} pieces")
    device = device_in_use()
    return Metered(
        frames=frames,
        pieces=lengths,
        seconds=seconds,
        history_bytes=known or None,
        peak_rss_bytes=_peak_rss() if restarted else None,
        device=device,
        device_peak_bytes=None if device == CPU else torch.cuda.max_memory_allocated(),
        disturbance=disturbance,
    )


def device_in_use() -> str:
    """Name of the accelerator on which torch holds or, since :func:`restart_marks`, held memory; else :data:`CPU`."""
    used = torch.cuda.is_initialized() and torch.cuda.max_memory_allocated() > 0
    return torch.cuda.get_device_name() if used else CPU


def _synchronise() -> None:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def restart_marks() -> bool:
    """Forget earlier peaks, and say whether the system could.

    getrusage's mark only ever rises: a later model would inherit an earlier one's. Linux restarts VmHWM, the
    same mark in /proc/self/status, when 5 is written to /proc/self/clear_refs (proc_pid_clear_refs(5)).
    """
    if torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_memory(device: str) -> int | None:
    """Bytes since :func:`restart_marks`: the most that torch held on an accelerator, or this process on a CPU."""
    if device != CPU:
        return torch.cuda.max_memory_allocated()
    return _peak_rss() if Path("/proc/self/status").is_file() else None


def _peak_rss() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
