"""What `magbench ablate` does with models: run, score, tabulate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from magbench import api
from magbench.commands.options import finish
from magbench.models.protocol import VideoModel
from magbench.profiling.latency import HistoryModel, profile
from magbench.render.grid import Grid
from magbench.render.text import markdown
from magbench.report.columns import Column
from magbench.report.settings import SCORES, Heading, find_lines, write_report
from magbench.suites.format import Suite

REFERENCES = ("codec", "wrong_scene")
"""Both ends of retention."""


@dataclass(frozen=True)
class Sheet:
    """What becomes of the scores.

    Attributes:
        name: of the files.
        head: above them.
        lines: line of the plot -> setting -> name of its model.
        scores: which.
        more: paragraphs below the tables.
    """

    name: str
    head: Heading
    lines: Mapping[str, Mapping[str, str]]
    scores: Sequence[Column] = SCORES
    more: Sequence[str] = ()


def tabulate(
    folder: Path,
    run: Path,
    sheet: Sheet,
    models: Sequence[VideoModel],
    limit: int | None = None,
    suite: Suite | str = "revisit-nano",
) -> Path:
    """Run what is not there yet in ``run``, and write table and plot into ``folder``; the page.

    Args:
        limit: only the first clips.
    """
    opened = api.load_suite(suite)
    finish([*api.generate([*models, *REFERENCES], opened, out=run, limit=limit), *api.rescore(opened, run, workers=1)])
    lines = find_lines(api.open_run(run).summary, sheet.lines)
    return write_report(lines, sheet.head, folder, sheet.name, sheet.scores, sheet.more)


FRAMES = (60, 120, 240, 480)
"""Of history, at which models are timed."""


def latency_lines(models: Mapping[str, HistoryModel]) -> list[str]:
    """Time models side by side behind histories that are told in frames; what to say of it.

    Args:
        models: setting -> model.
    """
    found = {(p.model, p.history): p for p in profile(list(models.values()), FRAMES)}
    rows = []
    for setting, model in models.items():
        points = [found[model.name, frames] for frames in FRAMES]
        held = points[0].history_bytes or 0
        rows.append((setting, *(f"{1000 / p.fps:.1f}{'*' * p.disturbed}" for p in points), f"{held / 1e6:.2f}"))
    header = ("setting", *(f"{frames} frames" for frames in FRAMES), f"MB at {FRAMES[0]}")
    about = "Milliseconds a frame behind a history of so many frames, median; `*`: other work disturbed it."
    return [about, markdown(Grid(header, tuple(rows), (False,) * len(rows), left=1)).rstrip()]
