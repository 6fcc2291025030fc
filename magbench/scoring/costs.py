"""What a generation cost: numbers of its measured stream, named as in the table."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal

from magbench.runs.generation import Generation

VERSION = 1


@dataclass(frozen=True)
class Cost:
    """One number: ``value`` (None if unknown) from ``n`` pieces; ``per_piece`` where each has one."""

    metric: str
    unit: str
    better: Literal["higher", "lower"]
    value: float | None
    n: int
    per_piece: list[float] | None = None


def costs(generation: Generation) -> list[Cost]:
    """Latency, throughput and memory of one generation.

    ``block_s`` is the median over all pieces but the first, which also takes in the given frames. ``fps``
    is all frames over all seconds, the first piece included. A video made elsewhere has no costs.
    """
    if generation.original is not None:
        return []
    pieces = len(generation.pieces)
    seconds = generation.seconds
    history = generation.history_bytes
    rss, device = generation.peak_rss_bytes, generation.device_peak_bytes
    return [
        Cost("ttff_s", "s", "lower", generation.ttff_s, 1),
        Cost("block_s", "s", "lower", median(seconds[1:]) if pieces > 1 else None, pieces - 1, seconds),
        Cost("fps", "frames/s", "higher", sum(generation.pieces) / sum(seconds), pieces),
        Cost(
            "history_bytes",
            "B",
            "lower",
            float(history[-1]) if history else None,
            pieces if history else 0,
            [float(size) for size in history] if history else None,
        ),
        _peak("peak_rss_bytes", rss, pieces),
        _peak("device_peak_bytes", device, pieces),
    ]


def _peak(metric: str, size: int | None, pieces: int) -> Cost:
    return Cost(metric, "B", "lower", None if size is None else float(size), 0 if size is None else pieces)
