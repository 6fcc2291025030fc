"""What a generation cost: numbers of its measured stream."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from magbench.metrics.spec import Better, MainColumn, ScoreSpec
from magbench.runs.generation import Generation

COST = "cost"
"""The protocol of all costs."""


def _cost(name: str, unit: str, about: str, main: MainColumn | None = None, better: Better = "lower") -> ScoreSpec:
    return ScoreSpec(protocol=COST, name=name, version=1, unit=unit, better=better, about=about, main=main)


TTFF = _cost("ttff_s", "s", "time to the first frame", MainColumn(10, "first frame, s", region="all"))
BLOCK = _cost(
    "block_s",
    "s",
    "median time of a block, the first one left out",
    MainColumn(8, "s/block", region="all", short="s/block"),
)
FPS = _cost("fps", "frames/s", "all frames over all seconds", MainColumn(9, "FPS", region="all"), "higher")
HISTORY = _cost(
    "history_bytes",
    "B",
    "history held at the end of a clip",
    MainColumn(7, "history", region="all", short="history"),
)
PEAK_RSS = _cost("peak_rss_bytes", "B", "most memory of the process")
PEAK_DEVICE = _cost("device_peak_bytes", "B", "most memory of the accelerator")

TIMES = (TTFF.name, BLOCK.name, FPS.name)
"""Those that hang on how fast the machine was."""

COSTS = (TTFF, BLOCK, FPS, HISTORY, PEAK_RSS, PEAK_DEVICE)


@dataclass(frozen=True)
class Cost:
    """One number: ``value`` (None if unknown) from ``n`` pieces; ``per_piece`` where each has one."""

    spec: ScoreSpec
    value: float | None
    n: int
    per_piece: list[float] | None = None


def costs(generation: Generation) -> list[Cost]:
    """Measure latency, throughput and memory of one generation.

    ``block_s`` is the median over all pieces but the first, which also takes in the given frames. ``fps``
    is all frames over all seconds, the first piece included. A video made elsewhere has no costs, and one that was made
    beside others has no times.
    """
    if generation.original is not None:
        return []
    pieces = len(generation.pieces)
    seconds = generation.seconds
    history = generation.history_bytes
    found: list[Cost] = []
    if seconds:
        found += [
            Cost(TTFF, generation.ttff_s, 1),
            Cost(BLOCK, median(seconds[1:]) if pieces > 1 else None, pieces - 1, seconds),
            Cost(FPS, sum(generation.pieces) / sum(seconds), pieces),
        ]
    return found + [
        Cost(
            HISTORY,
            float(history[-1]) if history else None,
            pieces if history else 0,
            [float(size) for size in history] if history else None,
        ),
        _peak(PEAK_RSS, generation.peak_rss_bytes, pieces),
        _peak(PEAK_DEVICE, generation.device_peak_bytes, pieces),
    ]


def _peak(spec: ScoreSpec, size: int | None, pieces: int) -> Cost:
    return Cost(spec, None if size is None else float(size), 0 if size is None else pieces)
