"""What `magbench ablate` does where nothing is trained: run, score, tabulate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from magbench import api
from magbench.commands.options import finish
from magbench.models.protocol import VideoModel
from magbench.report.settings import Heading, find_lines, write_report

REFERENCES = ("codec", "wrong_scene")
"""Both ends of retention."""


def tabulate(
    folder: Path,
    name: str,
    head: Heading,
    lines: Mapping[str, Mapping[str, str]],
    models: Sequence[VideoModel],
    limit: int | None,
) -> Path:
    """Run what is not there yet, and write table and plot into ``folder``; the page.

    Args:
        lines: line of the plot -> setting -> name of its model.
        limit: only the first clips.
    """
    run, suite = folder / "run", api.load_suite("revisit-nano")
    finish([*api.generate([*models, *REFERENCES], suite, out=run, limit=limit), *api.rescore(suite, run, workers=1)])
    return write_report(find_lines(api.open_run(run).summary, lines), head, folder, name)
