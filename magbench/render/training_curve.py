"""The plot of a training log: loss, and scores on development scenes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from magbench.core.errors import MagbenchError
from magbench.render.theme import SPARE, dress, label_ends, new_figure, save

Line = Mapping[str, float]


def draw_curve(log: Path, path: Path) -> None:
    """Write the curve of one training stage.

    Args:
        log: one JSON object a line; ``step`` with ``loss`` and ``seconds``, or ``step`` with scores in dB.
        path: the PNG.
    """
    try:
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        losses = [line for line in lines if "loss" in line]
        scores = [line for line in lines if "loss" not in line]
        figure = new_figure(12.5, 4.6)
        left, right = figure.subplots(1, 2)
        left.plot([line["step"] for line in losses], [line["loss"] for line in losses], color="#0072B2", lw=1.2)
    except (ValueError, KeyError, TypeError) as error:
        raise MagbenchError(f"{log}: not a training log ({error})") from error
    left.set_yscale("log")
    minutes = losses[-1]["seconds"] / 60 if losses else 0
    dress(left, f"Training {log.stem}", f"{minutes:.0f} minutes in all", "step", "loss: mean squared error of latents")
    names = sorted({name for line in scores for name in line if name != "step"})
    right.set_ylim(*_limits(scores, names))
    ends = []
    for name, look in zip(names, SPARE, strict=False):
        x, y = zip(*((line["step"], line[name]) for line in scores if name in line), strict=True)
        right.plot(x, y, color=look.colour, marker=look.marker, ms=4, lw=1.5)
        ends.append((name, y[-1], look.colour))
    dress(right, "Development scenes", "Mean over clips, running mean of the weights", "step", "PSNR (dB)")
    label_ends(right, ends, scores[-1]["step"] if scores else 0)
    save(figure, path)


def _limits(scores: Sequence[Line], names: Sequence[str]) -> tuple[float, float]:
    """A vertical range that holds every score, with a margin."""
    values = [line[name] for line in scores for name in names if name in line] or [0.0]
    return min(values) - 1, max(values) + 1
