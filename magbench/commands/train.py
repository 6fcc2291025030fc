"""What `magbench train` shows while a stage is trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click


def follow(start: Callable[..., Path | None], stage: str, out: Path) -> None:
    """Follow a stage that ``start(report=..., say=..., shown=...)`` trains; draw its curve however far it came."""
    from magbench.render.progress import ProgressBar
    from magbench.render.training_curve import draw_curve

    with ProgressBar() as progress:
        weights = start(
            report=lambda line: progress.log(f"train {stage}", line),
            say=lambda line: progress.console.print(line, highlight=False, soft_wrap=True),
            shown=progress,
        )
    log = out / f"{stage}.jsonl"
    if log.is_file():
        draw_curve(log, log.with_suffix(".png"))
    if weights is None:
        click.echo(f"{out}: {stage} stopped where its time was up, as asked; the same command goes on")
    else:
        click.echo(weights)
