"""Timing of models whose sizes are known, beside the roofline: what operations and bytes alone would take.

Time, operations a second and bytes of memory are measured, and each has its prediction from sizes. A history that the
device has no room for is a line of the table. The model of two ceilings, arithmetic and bandwidth: Williams, Waterman
and Patterson, "Roofline: an insightful visual performance model for multicore architectures", 2009.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import torch

from magbench.core.errors import MagbenchError
from magbench.models.meter import peak_memory, restart_marks
from magbench.models.workload import Workload

if TYPE_CHECKING:
    from torch import Tensor

HISTORY = (21, 60, 120, 240)
"""Latent frames of a clip, its last block included."""


@dataclass(frozen=True)
class Device:
    """The speeds of a device, measured in the same run.

    Attributes:
        flops: operations a second of a large matrix product, in the type of the networks.
        bandwidth: bytes a second, read and written, of a copy.
    """

    flops: float
    bandwidth: float


@dataclass(frozen=True)
class RooflinePoint:
    """What was measured and predicted of one model at one length.

    Attributes:
        model: its name.
        frames: latent frames of the clip whose last block was made.
        history: blocks before it.
        seconds: median over ``all_seconds``; None = the device had no room.
        p95: the time that 95 of 100 blocks do not exceed.
        fps, fps_decoded: frames of video a second, without and with decoding.
        history_bytes: of the buffers with keys and values; ``_counted`` = from sizes.
        peak_bytes: the most memory in use: of the accelerator, else of this process with all its libraries.
        peak_counted: weights, keys and values.
        flops: operations of the block, from sizes.
        flops_per_second: these, over the seconds.
        share: of what the matrix product reached.
        predicted_seconds: the longer of operations and bytes, at the device's measured speeds.
    """

    model: str
    frames: int
    history: int
    seconds: float | None
    p95: float | None
    fps: float | None
    fps_decoded: float | None
    history_bytes: int | None
    history_counted: int
    peak_bytes: int | None
    peak_counted: int
    flops: int
    flops_per_second: float | None
    share: float | None
    predicted_seconds: float
    all_seconds: tuple[float, ...]


@dataclass
class _Run:
    """The measurements of one model at one length, over the rounds."""

    seconds: list[float] = field(default_factory=list)
    held: int | None = None
    peak: int | None = None
    full: bool = False


def measure_roofline(
    workloads: Sequence[Workload],
    frames: Sequence[int],
    *,
    rounds: int = 3,
    warmup: int = 1,
    timed: int = 3,
    decode: bool = False,
    step: Callable[[], None] = lambda: None,
) -> tuple[Device, list[RooflinePoint]]:
    """Time ``rounds`` x ``timed`` blocks of each model at each length, one memory on the device at a time.

    At each length the models take turns, and all is walked ``rounds`` times, so that a slow moment of the machine
    falls on every model alike; the device's own speed is the best of the rounds. ``step`` is called after each length
    of each round.
    """
    probes: list[Device] = []
    shapes = {work.shape: work for work in workloads} if decode else {}  # decoding does not depend on the policy
    decoding = {shape: _decode_seconds(work) for shape, work in shapes.items()}
    runs = {(work.name, length): _Run() for length in frames for work in workloads}
    for _ in range(rounds):
        probes.append(probe(workloads[0].device, workloads[0].dtype))
        for length in frames:
            for work in workloads:
                _time(work, length, runs[work.name, length], warmup, timed)
            step()
    device = Device(max(p.flops for p in probes), max(p.bandwidth for p in probes))
    made = [
        _point(work, length, runs[work.name, length], device, decoding.get(work.shape))
        for work in workloads
        for length in frames
    ]
    return device, made


def check_lengths(workloads: Sequence[Workload], frames: Sequence[int]) -> None:
    """Refuse lengths that are not a whole number of blocks."""
    for work in workloads:
        wrong = next((length for length in frames if length % work.block or not length), None)
        if wrong is not None:
            raise MagbenchError(
                f"--history {wrong}: model '{work.name}' counts latent frames in blocks of {work.block}, as 21 or 60"
            )


def _time(work: Workload, length: int, run: _Run, warmup: int, timed: int) -> None:
    if run.full:
        return
    restart_marks()
    try:
        spent, held = _blocks(work, length, warmup + timed)
    except torch.OutOfMemoryError:
        run.full, run.seconds = True, []
    else:
        run.seconds += spent[warmup:]
        run.held, run.peak = held, max(run.peak or 0, peak_memory(work.device) or 0) or None
    if work.device != "cpu":
        torch.cuda.empty_cache()


def _blocks(work: Workload, length: int, count: int) -> tuple[list[float], int]:
    """Time ``count`` blocks; gives their seconds, and bytes of keys and values. The memory is free again afterwards."""
    placed = work.behind(length)
    spent = [_seconds(placed.make, work.device) for _ in range(count)]
    return spent, placed.allocated()


def _seconds(make: Callable[[], Tensor], device: str) -> float:
    """Wall-clock seconds until the device has finished."""
    start = time.perf_counter()
    make()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _decode_seconds(work: Workload) -> float:
    decode = work.decoder()
    return median([_seconds(decode, work.device) for _ in range(4)][1:])


def probe(device: str, dtype: torch.dtype) -> Device:
    """Measure how fast the device multiplies matrices, and copies."""
    side, length = (8192, 1 << 28) if device != "cpu" else (1024, 1 << 25)
    a, b = torch.empty(2, side, side, device=device, dtype=dtype).uniform_(-1, 1)
    product = torch.empty_like(a)
    source = torch.zeros(length, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    multiply = min(_seconds(lambda: torch.mm(a, b, out=product), device) for _ in range(10))
    copy = min(_seconds(lambda: target.copy_(source), device) for _ in range(10))
    return Device(2 * side**3 / multiply, 2 * length / copy)


def _point(work: Workload, length: int, run: _Run, device: Device, decode: float | None) -> RooflinePoint:
    cost = work.cost(length)
    seconds = median(run.seconds) if run.seconds else None
    rate = None if seconds is None else cost.flops / seconds
    return RooflinePoint(
        model=work.name,
        frames=length,
        history=length // work.block - 1,
        seconds=seconds,
        p95=percentile(run.seconds, 0.95) if run.seconds else None,
        fps=None if seconds is None else work.pixels / seconds,
        fps_decoded=None if seconds is None or decode is None else work.pixels / (seconds + decode),
        history_bytes=run.held,
        history_counted=cost.history_bytes,
        peak_bytes=run.peak,
        peak_counted=cost.weights_bytes + cost.history_bytes,
        flops=cost.flops,
        flops_per_second=rate,
        share=None if rate is None else rate / device.flops,
        predicted_seconds=max(cost.flops / device.flops, cost.moved / device.bandwidth),
        all_seconds=tuple(run.seconds),
    )


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that ``part`` of the values do not exceed."""
    return sorted(values)[max(math.ceil(part * len(values)) - 1, 0)]
