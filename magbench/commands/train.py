"""What `magbench train` shows while a stage is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from magbench.core.errors import MagbenchError


def follow(start: Callable[..., Path | None], stage: str, out: Path) -> None:
    """Follow a training stage that ``start(report=...)`` runs; draw its curve whether or not the time was enough.

    Raises:
        MagbenchError: the time was up before the last step.
    """
    from magbench.render.progress import ProgressBar
    from magbench.render.training_curve import draw_curve

    with ProgressBar() as progress:
        weights = start(report=lambda line: progress.log(f"train {stage}", line))
    log = out / f"{stage}.jsonl"
    if log.is_file():
        draw_curve(log, log.with_suffix(".png"))
    if weights is None:
        raise MagbenchError(f"{out}: {stage} is not finished, its time was up; the same command goes on")
    click.echo(weights)
