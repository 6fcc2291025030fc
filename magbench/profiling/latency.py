"""Timing of blocks after long histories, from outside, models in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from magbench.core.errors import MagbenchError
from magbench.models.disturbance import Watch

if TYPE_CHECKING:
    from torch import Tensor

HISTORY = (10, 20, 40, 80, 160, 320)
"""Blocks of history at which models are timed unless others are asked for."""

SLOPE_FROM = 40
"""Shorter histories do not count for the slope: there, fixed costs hide what history costs."""


@runtime_checkable
class HistoryModel(Protocol):
    """A model that can be put behind a history of any length without making that history first."""

    @property
    def name(self) -> str: ...

    def stream_at(self, history: int, pieces: int, seed: int) -> Iterator[Tensor]:
        """Yield ``pieces`` blocks (n, 3, H, W) made after ``history`` blocks of seeded noise."""
        ...

    def memory_bytes(self) -> int | None:
        """Bytes of history held now."""
        ...


@dataclass(frozen=True)
class ProfilePoint:
    """One model after one history: every timed block in ``all_seconds``, their median in ``seconds``.

    Blocks that other work disturbed are left out of the median, unless too few others are there: ``disturbed``.
    ``left_out`` counts them.
    """

    model: str
    history: int
    seconds: float
    fps: float
    history_bytes: int | None
    all_seconds: tuple[float, ...]
    disturbed: bool = False
    left_out: int = 0


def as_history_model(model: object, name: str) -> HistoryModel:
    """Check that a model can be profiled.

    Raises:
        MagbenchError: it has no ``stream_at``.
    """
    if not isinstance(model, HistoryModel):
        raise MagbenchError(f"model '{name}' cannot be profiled: it has no stream_at(history, pieces, seed)")
    return model


def profile(
    models: Sequence[HistoryModel],
    history: Sequence[int] = HISTORY,
    *,
    rounds: int = 3,
    warmup: int = 1,
    timed: int = 3,
    step: Callable[[], None] = lambda: None,
) -> list[ProfilePoint]:
    """Time ``rounds`` x ``timed`` blocks for each model and history.

    Every stream starts with ``warmup`` untimed blocks. At each history the models' streams stand open side by
    side and give a block in turn, and the histories are walked ``rounds`` times, so that a slow moment of the
    machine falls on every model alike. While too many blocks are disturbed by other work they are walked again, up to
    ``rounds`` times more. ``step`` is called after each history of each of the first ``rounds``.
    """
    seconds: dict[tuple[str, int], list[float]] = {(m.name, h): [] for h in history for m in models}
    quiet: dict[tuple[str, int], list[float]] = {key: [] for key in seconds}
    frames: dict[str, int] = {}
    held: dict[tuple[str, int], int | None] = {}
    for seed in range(2 * rounds):
        if seed >= rounds and all(len(undisturbed) >= rounds * timed / 2 for undisturbed in quiet.values()):
            break
        for past in history:
            streams = [model.stream_at(past, warmup + timed, seed) for model in models]
            for piece in range(warmup + timed):
                for model, stream in zip(models, streams, strict=True):
                    watch = Watch()
                    spent, frames[model.name] = _next_piece(model.name, stream)
                    if piece == 0:
                        held[model.name, past] = model.memory_bytes()
                    if piece >= warmup:
                        seconds[model.name, past].append(spent)
                        if not watch.seen().disturbed:
                            quiet[model.name, past].append(spent)
            if seed < rounds:
                step()
    points = []
    for (name, past), all_s in seconds.items():
        enough = len(quiet[name, past]) >= timed
        middle = median(quiet[name, past] if enough else all_s)
        left_out = len(all_s) - len(quiet[name, past]) if enough else 0
        points.append(
            ProfilePoint(
                name, past, middle, frames[name] / middle, held[name, past], tuple(all_s), not enough, left_out
            )
        )
    return points


def _next_piece(name: str, stream: Iterator[Tensor]) -> tuple[float, int]:
    """Wait for the next piece, on its device too; gives the seconds that took, and how many frames it has."""
    start = time.perf_counter()
    piece = next(stream, None)
    if piece is None:
        raise MagbenchError(f"model '{name}': stream_at gave fewer blocks than asked for")
    if piece.is_cuda:
        import torch

        torch.cuda.synchronize(piece.device)
    return time.perf_counter() - start, piece.shape[0]


def slope(points: Sequence[ProfilePoint], start: int = SLOPE_FROM) -> float | None:
    """Seconds a block gains per block of history: least squares from ``start`` blocks on; None below two points."""
    chosen = [(p.history, p.seconds) for p in points if p.history >= start]
    if len({x for x, _ in chosen}) < 2:
        return None
    mean_x = sum(x for x, _ in chosen) / len(chosen)
    mean_y = sum(y for _, y in chosen) / len(chosen)
    return sum((x - mean_x) * (y - mean_y) for x, y in chosen) / sum((x - mean_x) ** 2 for x, _ in chosen)


@dataclass(frozen=True)
class Slope:
    """One model's slope, and its ratio to the first model's; None where there is none."""

    model: str
    seconds_per_block: float | None
    ratio: float | None


def slopes(points: Sequence[ProfilePoint], start: int = SLOPE_FROM) -> list[Slope]:
    """The slope of each model, in the order in which the models were given; see :func:`slope`."""
    names = list(dict.fromkeys(p.model for p in points))
    found = {name: slope([p for p in points if p.model == name], start) for name in names}
    first = found[names[0]]
    return [Slope(n, s, s / first if s is not None and first else None) for n, s in found.items()]
